// Natural alignment: a request of n frames starts at a multiple of n rounded up to a power of two.
// Source followed: drivers/iommu/iova.c, iova_get_pad_size and the alignment mask of the tree search.
// The largest request a gap can hold under this rule is one number, because a gap that holds a size holds every
// smaller one: that is what lets an index of maxima steer an exact search.
// Simplified: frames below 2^53, so that doubles are exact; no bit operator ever sees more than 32 bits.

const TWO_32 = 2 ** 32;

/**
 * Smallest n with 2^n at least `size`; the kernel's order_base_2.
 * @internal
 */
export function orderCovering(size: number): number {
  const top = size - 1;
  return top < TWO_32 ? 32 - Math.clz32(top) : bitLength(top);
}

/** Binary digits of a number of at least 2^32. */
function bitLength(value: number): number {
  return 64 - Math.clz32(Math.floor(value / TWO_32));
}

/**
 * Powers of two by order, and their reciprocals: multiplying by either is exact and cheaper than dividing.
 * @internal
 */
export const POWER: Float64Array = Float64Array.from({ length: 65 }, (_, order) => 2 ** order);

/**
 * Reciprocals of {@link POWER}.
 * @internal
 */
export const INVERSE: Float64Array = Float64Array.from({ length: 65 }, (_, order) => 2 ** -order);

/**
 * `frame` rounded down to a multiple of 2^order.
 * @internal
 */
export function alignFrameDown(frame: number, order: number): number {
  return order === 0 ? frame : Math.floor(frame * (INVERSE[order] as number)) * (POWER[order] as number);
}

/**
 * The largest naturally aligned request that the free frames [first, end) can hold; 0 when there are none.
 * @internal
 */
export function largestAlignedFit(first: number, end: number): number {
  const length = end - first;
  if (length <= 1) return length > 0 ? 1 : 0;
  const order = length < TWO_32 ? 31 - Math.clz32(length) : bitLength(length) - 1;
  const block = POWER[order] as number;
  const blocksBefore = Math.ceil(first * (INVERSE[order] as number));
  const room = end - blocksBefore * block;
  // Without a block of the greatest power of two that is not longer, one of half of it always fits.
  if (room < block) return Math.max(block / 2, room);
  const roomForTwice = end - Math.ceil(blocksBefore / 2) * 2 * block;
  return Math.max(block, roomForTwice);
}
