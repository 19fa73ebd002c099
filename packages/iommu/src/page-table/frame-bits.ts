// Bit arithmetic on page frame numbers: 52-bit values held in doubles, read as two words of 26 bits.
// Source followed: the kernel's log2_*, vaffs and vafls helpers of generic_pt, which work on u64.
// Simplified: page frames instead of bytes, so that a 64-bit address space stays exact.

const HALF = 2 ** 26;

/**
 * One more than the last page frame of a 64-bit address space: 2^52.
 * @internal
 */
export const FRAME_LIMIT: number = 2 ** 52;

/**
 * Base-2 logarithm, rounded down, of a frame count from 1 to 2^52 - 1.
 * @internal
 */
export function floorLog2(frames: number): number {
  const high = Math.floor(frames / HALF);
  return high === 0 ? 31 - Math.clz32(frames) : 57 - Math.clz32(high);
}

/** Trailing zeros of a pair of 26-bit halves; 52 when both are zero. */
const trailingZerosOf = (low: number, high: number): number => {
  if (low !== 0) return 31 - Math.clz32(low & -low);
  return high === 0 ? 52 : 57 - Math.clz32(high & -high);
};

/**
 * Zero bits below the lowest bit set in either frame number; 52 when both are zero.
 * @internal
 */
export function commonAlignment(one: number, other: number): number {
  const oneHigh = Math.floor(one / HALF);
  const otherHigh = Math.floor(other / HALF);
  return trailingZerosOf((one - oneHigh * HALF) | (other - otherHigh * HALF), oneHigh | otherHigh);
}

/**
 * Low bits in which two frame numbers agree; 52 when they are equal.
 * @internal
 */
export function commonLowBits(one: number, other: number): number {
  const oneHigh = Math.floor(one / HALF);
  const otherHigh = Math.floor(other / HALF);
  return trailingZerosOf((one - oneHigh * HALF) ^ (other - otherHigh * HALF), oneHigh ^ otherHigh);
}

const ITEM_FRAMES = Float64Array.from({ length: 8 }, (_, level) => 512 ** level);

/**
 * Page frames that one entry of a table of `level` (0 to 7) spans: 512 ** level.
 * @internal
 */
export const itemFrames = (level: number): number => ITEM_FRAMES[level] as number;

const POWERS = Float64Array.from({ length: 53 }, (_, order) => 2 ** order);

/**
 * Page frames of a page of `order` (0 to 52): 2 ** order, looked up because a computed power is slow.
 * @internal
 */
export const orderFrames = (order: number): number => POWERS[order] as number;
