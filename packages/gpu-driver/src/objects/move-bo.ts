// Moving a buffer object: new memory, importers told, a copy that starts when everybody is done, and the old memory given
// back when it has ended.
// Source followed: ttm_bo_handle_move_mem and ttm_bo_move_accel_cleanup (drivers/gpu/drm/ttm), amdgpu_bo_move and xe_bo_move:
// the copy is a fence of the kernel's own in the reservation, and it waits for every fence that was there before, and for the
// copy before it: the fences of one timeline signal in order.
// Simplified: the copy engine copies piece by piece; the old memory is freed with the fence, whatever importers still map.

import {
  DmaFence,
  DmaResvUsage,
  dmaBufInvalidateMappings,
  dmaFencePut,
  dmaFenceSetError,
  dmaFenceSignal,
  dmaFenceWait,
  dmaResvAddFence,
  dmaResvAssertHeld,
  dmaResvGetFences,
  dmaResvReserveFences,
} from '@sgfree/dma-buf';
import type { GpuCopy, ModelTask, TransferStatus } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { allocResource, freeResource } from '../memory/alloc-resource.ts';
import type { GpuMemoryType, GpuResource } from '../memory/gpu-resource.ts';
import { copyPieces, placeAt } from '../memory/vram-cursor.ts';
import type { GpuBo } from './gpu-bo.ts';

/**
 * Moves the object to memory of `type`, with its reservation held; also within VRAM. The bytes are there once the fences of
 * usage KERNEL have signaled. -EINVAL for a pinned object and for registers; -ENOSPC when VRAM is full; -ENOMEM.
 * It has not moved then, but importers may have been told.
 * @public
 */
export function* moveBo(bo: GpuBo, type: GpuMemoryType): ModelTask<number> {
  dmaResvAssertHeld(bo.resv);
  if (bo.pinCount > 0) return -Errno.EINVAL;
  const to = allocResource(bo.card, { ...bo.spec, visible: bo.visible }, type);
  if (!to.ok) return -to.errno;
  const error = yield* moveToResource(bo, to.value);
  if (error !== 0) freeResource(bo.card, to.value);
  return error;
}

/** Moves the object to memory that has been allocated for it. @internal */
export function* moveToResource(bo: GpuBo, to: GpuResource): ModelTask<number> {
  const { card, resv } = bo;
  if (to.kind === 'mmio-remap' || bo.resource.kind === 'mmio-remap') return -Errno.EINVAL;
  const reserved = dmaResvReserveFences(resv, 1);
  if (reserved !== 0) return reserved;
  if (bo.dmabuf !== null) yield* dmaBufInvalidateMappings(bo.dmabuf);
  const waits = dmaResvGetFences(resv, DmaResvUsage.BOOKKEEP);
  if (!waits.ok) return -waits.errno;
  // Importers may have used up the slot in their callback.
  const again = dmaResvReserveFences(resv, 1);
  if (again !== 0) {
    for (const wait of waits.value) dmaFencePut(wait);
    return again;
  }
  const fence = new DmaFence(
    card.dmaBufs,
    { name: `${card.pdev.name} copy` },
    { context: card.copyContext, seqno: card.nextCopySeqno(), seqno64: true },
  );
  dmaResvAddFence(resv, fence, DmaResvUsage.KERNEL);
  const from = bo.resource;
  bo.resource = to;
  card.counters.moves += 1;
  const before = card.takeTurn(fence);
  if (before !== null) waits.value.push(before);
  card.dmaBufs.scheduler.spawn(`move of ${bo.spec.name}`, copyTask(bo, from, to, fence, waits.value));
  return 0;
}

function* copyTask(
  bo: GpuBo,
  from: GpuResource,
  to: GpuResource,
  fence: DmaFence,
  waits: readonly DmaFence[],
): ModelTask<void> {
  const { card } = bo;
  for (const wait of waits) {
    yield* dmaFenceWait(wait, false);
    dmaFencePut(wait);
  }
  const status = yield* copyResource(bo, from, to);
  if (status !== 'success') dmaFenceSetError(fence, -Errno.EIO);
  else card.counters.bytesMoved += from.bytes;
  card.endTurn(fence);
  dmaFenceSignal(fence);
  dmaFencePut(fence);
  freeResource(card, from);
}

/** Copies piece by piece; the status of the first piece that failed. */
function* copyResource(bo: GpuBo, from: GpuResource, to: GpuResource): ModelTask<TransferStatus> {
  let running = 0;
  let worst: TransferStatus = 'success';
  const { copies } = bo.card.gpu;
  for (const copy of copiesBetween(from, to)) {
    running += 1;
    copies.submit({
      ...copy,
      done: (status) => {
        running -= 1;
        if (worst === 'success') worst = status;
      },
    });
  }
  const allDone = { at: 'gpu:move', until: () => running === 0 };
  yield allDone;
  return worst;
}

/** The orders that copy one resource to the other: each piece lies in one piece of both. */
function copiesBetween(from: GpuResource, to: GpuResource): Omit<GpuCopy, 'done'>[] {
  const sources = copyPieces(from);
  const targets = copyPieces(to);
  const orders: Omit<GpuCopy, 'done'>[] = [];
  let [source, target, inSource, inTarget] = [0, 0, 0, 0];
  while (source < sources.length && target < targets.length) {
    const [one, other] = [sources[source], targets[target]];
    if (one === undefined || other === undefined) break;
    const bytes = Math.min(one.bytes - inSource, other.bytes - inTarget);
    orders.push({ from: placeAt(one.place, inSource), to: placeAt(other.place, inTarget), bytes });
    inSource += bytes;
    inTarget += bytes;
    if (inSource === one.bytes) [source, inSource] = [source + 1, 0];
    if (inTarget === other.bytes) [target, inTarget] = [target + 1, 0];
  }
  return orders;
}
