// Allocation through the range caches: alloc_iova_fast and free_iova_fast, and the size up to which it helps.
// Source followed: drivers/iommu/iova.c (alloc_iova_fast, free_iova_fast, iova_rcache_get, iova_rcache_insert,
// iova_rcache_range, iova_domain_init_rcaches, put_iova_domain, iova_depot_work_func, iova_cpuhp_dead).
// Sizes below 32 granules are rounded up to a power of two, so a size class only ever holds ranges of one size.
// Simplified: the CPU is an argument; the kernel takes the one it runs on.

import { PAGE_SIZE } from '@sgfree/hw-model';
import type { IovaDomain } from './iova-domain.ts';
import { exclusiveLimit, requireSize } from './iova-range.ts';
import { IOVA_RANGE_CACHE_MAX_SIZE } from './iova-rcaches.ts';

/** Granules of the largest size class. */
const LARGEST_CACHED: number = 2 ** (IOVA_RANGE_CACHE_MAX_SIZE - 1);

/**
 * Bytes of the largest range that a cache keeps: 128 KiB with 4 KiB pages, whatever the granule.
 * @kernel iova_rcache_range
 * @public
 */
export function iovaRcacheRange(): number {
  return PAGE_SIZE * LARGEST_CACHED;
}

/**
 * Allocates `size` frames, naturally aligned, whose last is at most `limitPfn`: from the caches of `cpu`, else from the
 * tree; when that fails and `flushRcache`, once more with all caches emptied. Answers the first frame (a plain number:
 * this is a hot path), 0 when there is none. Throws {@link @sgfree/mm#DmaApiViolation} `iova-size` for fewer than one frame.
 * @kernel alloc_iova_fast
 * @public
 */
export function allocIovaFast(
  iovad: IovaDomain,
  size: number,
  limitPfn: number,
  flushRcache: boolean,
  cpu: number = 0,
): number {
  let rounded = size;
  const { rcaches } = iovad;
  if (size <= LARGEST_CACHED) {
    requireSize(size);
    const order = 32 - Math.clz32(size - 1);
    rounded = 1 << order;
    if (rcaches !== null) {
      const highest = limitPfn + 1 - rounded;
      // A limit below the size wraps in u64, and every cached frame qualifies.
      const pfn = rcaches.get(order, highest < 0 ? Number.POSITIVE_INFINITY : highest, cpu);
      if (pfn !== 0) {
        iovad.allocations += 1;
        iovad.cacheHits += 1;
        return pfn;
      }
    }
  }
  return allocFromTree(iovad, rounded, exclusiveLimit(limitPfn), flushRcache);
}

function allocFromTree(iovad: IovaDomain, size: number, limit: number, flushRcache: boolean): number {
  let pfn = iovad.tree.allocate(size, limit, true);
  if (pfn < 0 && flushRcache) {
    iovad.flushedRanges += iovad.rcaches?.drainAll() ?? 0;
    pfn = iovad.tree.allocate(size, limit, true);
  }
  if (pfn < 0) return 0;
  iovad.allocations += 1;
  return pfn;
}

/**
 * Gives back the range at `pfn`, allocated with `size` frames: to the caches of `cpu`, else to the tree. Size 0 counts as
 * one frame.
 * @kernel free_iova_fast
 * @public
 */
export function freeIovaFast(iovad: IovaDomain, pfn: number, size: number, cpu: number = 0): void {
  const { rcaches } = iovad;
  if (size <= LARGEST_CACHED && rcaches?.put(size > 1 ? 32 - Math.clz32(size - 1) : 0, pfn, cpu) === true) {
    return;
  }
  iovad.tree.remove(pfn);
}
