// DMA masks: the highest address a device can put on the bus, and the value that says a mapping failed.
// Source followed: include/linux/dma-mapping.h (DMA_BIT_MASK, DMA_MAPPING_ERROR), include/linux/dma-direct.h
// (min_not_zero of mask and bus limit).
// A mask up to 2^53 - 1 is its exact inclusive value; a wider one is stored as the power of two above it (2^64
// stands for 2^64 - 1), because a double cannot hold it.
// Simplified: masks are 2^n - 1, as every driver writes them.

/**
 * What a failed mapping returns in place of an address (2^64 - 1 in C).
 * @public
 */
export const DMA_MAPPING_ERROR = -1;

/**
 * True for what a failed mapping returned. Not every caller looks, and the type of an address does not stop all of them.
 * @internal
 */
export const isMappingError = (address: number): boolean => address === DMA_MAPPING_ERROR;

/**
 * `SIZE_MAX` of the mapping-size queries: 2^64 stands for 2^64 - 1.
 * @public
 */
export const SIZE_MAX: number = 2 ** 64;

/**
 * The mask of an `n`-bit device, 1 to 64.
 * @public
 */
export const dmaBitMask = (n: number): number => (n > 53 ? 2 ** n : 2 ** n - 1);

/**
 * The smaller of two limits, where 0 means no limit.
 * @public
 * @kernel min_not_zero
 */
export const minNotZero = (x: number, y: number): number => (x === 0 ? y : y === 0 ? x : Math.min(x, y));

/**
 * Last granule of `granule` bytes that lies wholly or partly under an inclusive limit.
 * @internal
 */
export const lastGranuleUnder = (limit: number, granule: number): number =>
  limit > Number.MAX_SAFE_INTEGER ? limit / granule - 1 : Math.floor(limit / granule);
