// Where a buffer object is made, put and kept: creation, validation against placements, pins, and its end.
// Source followed: ttm_bo_init_reserved, ttm_bo_validate, ttm_bo_pin and ttm_bo_put (drivers/gpu/drm/ttm/ttm_bo.c): placements are
// tried in order without, then with eviction.
// Simplified: none of TTM's priorities or bulk moves; the end of an object waits for its fences at once; a new object in VRAM
// starts with the bytes that were there.

import {
  DmaResvUsage,
  dmaResvAssertHeld,
  dmaResvFini,
  dmaResvInit,
  dmaResvLock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import type { GpuCard } from '../card/gpu-card.ts';
import { allocResource, freeResource } from '../memory/alloc-resource.ts';
import type { GpuMemoryType, GpuResource } from '../memory/gpu-resource.ts';
import { evictOne } from './evict-bo.ts';
import { GpuBo, type GpuBoSpec } from './gpu-bo.ts';
import { moveToResource } from './move-bo.ts';

/**
 * Makes a buffer object in the first of its placements that has room. -EINVAL for a bad size, -ENOMEM.
 * @public
 */
export function* createBo(card: GpuCard, spec: GpuBoSpec): ModelTask<Outcome<GpuBo>> {
  const resource = yield* findMemory(card, spec, spec.placements);
  if (!resource.ok) return resource;
  const bo = new GpuBo(card, spec, dmaResvInit(card.dmaBufs, `dma_resv of ${spec.name}`), resource.value);
  card.lru.push(bo);
  return success(bo);
}

/**
 * Sees to it that the object lies in memory of one of `types`, the preferred one first, with its reservation held: 0 when it
 * does, else it is moved. -EINVAL for a pinned object that lies elsewhere; -ENOMEM.
 * @public
 */
export function* validateBo(bo: GpuBo, types: readonly GpuMemoryType[]): ModelTask<number> {
  dmaResvAssertHeld(bo.resv);
  const { card } = bo;
  card.lru.splice(card.lru.indexOf(bo), 1);
  card.lru.push(bo);
  if (types.includes(bo.resource.kind) && isPlaced(bo)) return 0;
  if (bo.pinCount > 0) return -Errno.EINVAL;
  const resource = yield* findMemory(card, { ...bo.spec, visible: bo.visible }, types);
  if (!resource.ok) return -resource.errno;
  const error = yield* moveToResource(bo, resource.value);
  if (error !== 0) freeResource(card, resource.value);
  return error;
}

/**
 * Keeps the object in memory of one of `types`, with its reservation held. Errors as {@link validateBo}.
 * @public
 */
export function* pinBo(bo: GpuBo, types: readonly GpuMemoryType[]): ModelTask<number> {
  const error = yield* validateBo(bo, types);
  if (error === 0) bo.pinCount += 1;
  return error;
}

/**
 * Gives a pin back, with the reservation held. One that nobody has is a violation `gpu-bo-not-pinned` and ignored.
 * @public
 */
export function unpinBo(bo: GpuBo): void {
  dmaResvAssertHeld(bo.resv);
  if (bo.pinCount > 0) bo.pinCount -= 1;
  else warnViolation(bo.card.dmaBufs.log, 'gpu-bo-not-pinned', { object: bo.spec.name });
}

/**
 * Ends an object that nobody uses any more; waits until its memory is idle. Throws `DmaApiViolation` `gpu-bo-in-use` for one
 * that is still shared or pinned.
 * @public
 */
export function* destroyBo(bo: GpuBo): ModelTask<void> {
  if (bo.dmabuf !== null || bo.pinCount > 0) throw new DmaApiViolation('gpu-bo-in-use', bo.spec.name);
  yield* dmaResvLock(bo.resv);
  yield* dmaResvWaitTimeout(bo.resv, DmaResvUsage.BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
  dmaResvUnlock(bo.resv);
  bo.card.lru.splice(bo.card.lru.indexOf(bo), 1);
  freeResource(bo.card, bo.resource);
  dmaResvFini(bo.resv);
}

const isPlaced = ({ resource, visible, card }: GpuBo): boolean =>
  resource.kind !== 'vram' || !visible || card.vram.isVisible(resource.blocks);

function* findMemory(
  card: GpuCard,
  spec: GpuBoSpec,
  types: readonly GpuMemoryType[],
): ModelTask<Outcome<GpuResource>> {
  for (const type of types) {
    const found = allocResource(card, spec, type);
    if (found.ok || found.errno === Errno.EINVAL) return found;
  }
  for (const type of types) {
    while (type === 'vram' && (yield* evictOne(card, spec.visible === true)) === 0) {
      const found = allocResource(card, spec, type);
      if (found.ok) return found;
    }
  }
  return failure(Errno.ENOMEM);
}
