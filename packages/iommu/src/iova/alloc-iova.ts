// Allocation from the tree, and what leaves or blocks it: alloc_iova, free_iova, find_iova, reserve_iova.
// Source followed: drivers/iommu/iova.c. A free removes the whole range that contains the frame, whatever was allocated.
// Sizes and frames are in granules, limits inclusive.
// Simplified: ranges are answered as numbers, not as nodes that a caller may keep.

import { DmaApiViolation } from '@sgfree/mm';
import type { IovaDomain } from './iova-domain.ts';
import { exclusiveLimit, type IovaRange, requireSize } from './iova-range.ts';
import { IOVA_ANCHOR } from './range-index.ts';

/**
 * Allocates `size` frames whose last is at most `limitPfn`, at a multiple of `size` rounded up to a power of two when
 * `sizeAligned`. Answers the first frame (a plain number: this is a hot path), or -1.
 * Throws {@link @sgfree/mm#DmaApiViolation} `iova-size` for fewer than one frame.
 * @kernel alloc_iova
 * @public
 */
export function allocIova(iovad: IovaDomain, size: number, limitPfn: number, sizeAligned: boolean): number {
  requireSize(size);
  const pfn = iovad.tree.allocate(size, exclusiveLimit(limitPfn), sizeAligned);
  if (pfn >= 0) iovad.allocations += 1;
  return pfn;
}

/**
 * Removes the whole range that contains `pfn`; false (and nothing else) when there is none.
 * Throws {@link @sgfree/mm#DmaApiViolation} `iova-anchor` for the frame 2^64-1, which the end anchor holds.
 * @kernel free_iova
 * @public
 */
export function freeIova(iovad: IovaDomain, pfn: number): boolean {
  if (pfn >= IOVA_ANCHOR) throw new DmaApiViolation('iova-anchor', 'the end anchor cannot be freed');
  return iovad.tree.remove(pfn);
}

/**
 * The range that contains `pfn`, or null.
 * @kernel find_iova
 * @public
 */
export function findIova(iovad: IovaDomain, pfn: number): IovaRange | null {
  return iovad.tree.find(pfn);
}

/**
 * Takes the frames `lo` to `hi` out of use. Overlapped ranges grow down to cover their part and the rest becomes a new
 * range; the remembered nodes stay. Answers the range that covers `hi`; null, with a warning, when a frame lies beyond
 * 2^64 bytes. Throws {@link @sgfree/mm#DmaApiViolation} `iova-reserve-order` when `lo` is above `hi`.
 * @kernel reserve_iova
 * @public
 */
export function reserveIova(iovad: IovaDomain, lo: number, hi: number): IovaRange | null {
  const bound = 2 ** (64 - iovad.shift);
  if (lo >= bound || hi >= bound) {
    iovad.refusedReservations += 1;
    return null;
  }
  if (lo > hi) throw new DmaApiViolation('iova-reserve-order', `${lo} is above ${hi}`);
  return iovad.tree.reserve(lo, hi);
}
