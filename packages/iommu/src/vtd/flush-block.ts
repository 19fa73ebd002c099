// Flush block: the smallest naturally aligned power-of-two block of pages that holds a range.
// Source followed: drivers/iommu/intel/cache.c, cache_tag_flush_range() and its alignment of start and end.
// VT-d's page-selective invalidation speaks of such blocks only, so that far more than the range may be flushed.
// Simplified: ranges are given in page frames, which keeps every number exact up to 2^64 bytes.

const HALF = 2 ** 26;

/**
 * Order (base-2 logarithm of the pages) of the smallest aligned block that holds the frames `first` to `last`, both
 * inclusive and below 2^52. The whole 64-bit space gives 52.
 * @internal
 */
export function flushBlockOrder(first: number, last: number): number {
  const firstHigh = Math.floor(first / HALF);
  const lastHigh = Math.floor(last / HALF);
  if (firstHigh !== lastHigh) return 26 + 32 - Math.clz32(firstHigh ^ lastHigh);
  return 32 - Math.clz32((first - firstHigh * HALF) ^ (last - lastHigh * HALF));
}

/**
 * First frame of the block of `order` that `frame` lies in.
 * @internal
 */
export const flushBlockBase = (frame: number, order: number): number => {
  const pages = 2 ** order;
  return Math.floor(frame / pages) * pages;
};
