// Making room in VRAM: the object that was used least recently and that nobody needs there goes to system memory.
// Source followed: ttm_bo_evict and the LRU walk of ttm_bo_evict_alloc (drivers/gpu/drm/ttm/ttm_bo.c): busy objects are skipped;
// ttm_resource_manager_evict_all.
// Simplified: one object at a time, and its copy is waited for at once.

import {
  DmaResvUsage,
  dmaResvTrylock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { GpuCard } from '../card/gpu-card.ts';
import type { GpuBo } from './gpu-bo.ts';
import { moveBo } from './move-bo.ts';

/**
 * Moves one object out of VRAM and waits until its memory is free; `visible`: only one that lies where the BAR shows it.
 * -ENOSPC when none can go: each is pinned, held by somebody, or may lie nowhere else.
 * @public
 */
export function* evictOne(card: GpuCard, visible: boolean): ModelTask<number> {
  for (const bo of [...card.lru]) {
    // While another object was on its way this one may have ended.
    if (!card.lru.includes(bo) || !mayGo(bo, visible) || !dmaResvTrylock(bo.resv)) continue;
    const error = yield* moveBo(bo, 'tt');
    if (error === 0) yield* dmaResvWaitTimeout(bo.resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
    dmaResvUnlock(bo.resv);
    if (error !== 0) continue;
    card.counters.evictions += 1;
    return 0;
  }
  return -Errno.ENOSPC;
}

/**
 * Takes all of VRAM back, as before a card sleeps: every importer is told, every object goes. -EBUSY when some object stays.
 * @public
 */
export function* evictAll(card: GpuCard): ModelTask<number> {
  let error = 0;
  while (error === 0) error = yield* evictOne(card, false);
  return card.lru.some(({ resource }) => resource.kind === 'vram') ? -Errno.EBUSY : 0;
}

function mayGo(bo: GpuBo, visible: boolean): boolean {
  const { resource, spec, card } = bo;
  if (resource.kind !== 'vram' || bo.pinCount > 0 || !spec.placements.includes('tt')) return false;
  return !visible || resource.blocks.some(({ offset }) => offset < card.vram.visibleBytes);
}
