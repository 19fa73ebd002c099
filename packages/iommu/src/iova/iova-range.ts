// IovaRange: an allocated range of I/O frames, and the bounds of what the allocator computes with.
// Source followed: struct iova of include/linux/iova.h; frames are counted in granules, both ends belong to the range.
// The kernel computes in u64. Here frames are doubles below 2^53; with granules of 2 KiB and more that is the whole space,
// and smaller ones exist in no IOMMU (the granule of a DMA domain is its smallest page size, at least 4 KiB).
// Simplified: of the larger limits only 2^64-1 has a meaning, because its exclusive form wraps to 0.

import { DmaApiViolation } from '@sgfree/mm';
import { IOVA_ANCHOR } from './range-index.ts';

/**
 * First and last frame of a range, in granules, inclusive.
 * @public
 */
export type IovaRange = readonly [lo: number, hi: number];

const FRAME_BOUND = 2 ** 53;

/**
 * The exclusive limit that belongs to an inclusive one, in granules: one more, and 0 for 2^64-1, where u64 wraps.
 * Throws {@link @sgfree/mm#DmaApiViolation} `iova-frame-range` for limits whose frames are no exact doubles.
 * @internal
 */
export function exclusiveLimit(limitPfn: number): number {
  if (limitPfn >= 0 && limitPfn < FRAME_BOUND) return limitPfn + 1;
  if (limitPfn >= IOVA_ANCHOR) return 0;
  throw new DmaApiViolation('iova-frame-range', `limit ${limitPfn} is no frame below 2^53`);
}

/**
 * Refuses sizes for which the kernel's shift by the width of the size is undefined.
 * @internal
 */
export function requireSize(size: number): void {
  if (!(size >= 1)) throw new DmaApiViolation('iova-size', `${size} frames cannot be allocated`);
}
