// Mapping an attachment, whatever the mapping is: pin for static importers, the exporter's map, the wait for the kernel's
// own fences, and the way back.
// Source followed: dma_buf_map_attachment and dma_buf_unmap_attachment in drivers/dma-buf/dma-buf.c.
// Simplified: none.

import type { DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { MAX_SCHEDULE_TIMEOUT } from '../fence/fence-wait.ts';
import { DmaResvUsage } from '../resv/resv-usage.ts';
import { dmaResvWaitTimeout } from '../resv/resv-wait.ts';
import { mapperOf } from './dma-buf.ts';
import { type DmaBufAttachment, dmaBufAttachmentIsDynamic } from './dma-buf-attachment.ts';
import type { DmaBufOps } from './dma-buf-ops.ts';
import { needsLock } from './lock-rules.ts';

/**
 * What the importer sees of a mapping: the exporter's own, or something in its place that can be turned back.
 * @internal
 */
export interface MappingFace<Mapping> {
  /** Called with each new mapping. */
  show(attach: DmaBufAttachment<Mapping>, mapping: Mapping): Outcome<Mapping>;
  /** The exporter's mapping behind what was shown. */
  behind(attach: DmaBufAttachment<Mapping>, shown: Mapping): Mapping;
}

/**
 * The exporter's own mapping, unchanged.
 * @internal
 */
export const plainFace: MappingFace<unknown> = {
  show: (_, mapping) => success(mapping),
  behind: (_, shown) => shown,
};

/** Who makes mappings and takes them back; by default the operations of the buffer. @internal */
export type Mapper<Mapping> = Pick<DmaBufOps<Mapping>, 'mapDmaBuf' | 'unmapDmaBuf'>;

/** Maps with the lock held; the errno of the first step that fails, everything before it undone. @internal */
export function* mapAttachment<M>(
  attach: DmaBufAttachment<M>,
  dir: DmaDataDirection,
  face: MappingFace<M>,
  mapper: Mapper<M> = mapperOf(attach.dmabuf),
): ModelTask<Outcome<M>> {
  const { dmabuf } = attach;
  needsLock(dmabuf, 'dma_buf_map_attachment');
  const pinned = yield* pinForMap(attach);
  if (pinned !== 0) return failure(-pinned as Errno);
  const mapped = yield* mapper.mapDmaBuf(attach, dir);
  const mapping = mapped.ok ? mapped.value : null;
  if (mapping === null) {
    yield* unpinAfterMap(attach);
    return mapped.ok ? failure(Errno.ENOMEM) : mapped;
  }
  const error = dmaBufAttachmentIsDynamic(attach) ? 0 : yield* waitForKernel(attach);
  const shown = error === 0 ? face.show(attach, mapping) : failure(-error as Errno);
  if (shown.ok) return shown;
  yield* mapper.unmapDmaBuf(attach, mapping, dir);
  yield* unpinAfterMap(attach);
  return shown;
}

/** The way back, with the lock held. @internal */
export function* unmapAttachment<M>(
  attach: DmaBufAttachment<M>,
  shown: M,
  dir: DmaDataDirection,
  face: MappingFace<M>,
  mapper: Mapper<M> = mapperOf(attach.dmabuf),
): ModelTask<void> {
  const { dmabuf } = attach;
  needsLock(dmabuf, 'dma_buf_unmap_attachment');
  yield* mapper.unmapDmaBuf(attach, face.behind(attach, shown), dir);
  yield* unpinAfterMap(attach);
}

function* pinForMap<M>(attach: DmaBufAttachment<M>): ModelTask<number> {
  const { ops, platform, expName } = attach.dmabuf;
  if (ops.pin === undefined || dmaBufAttachmentIsDynamic(attach)) return 0;
  const error = yield* ops.pin(attach);
  // The exporter has moved memory away that it must keep for a static importer.
  if (error === -Errno.EBUSY) warnViolation(platform.log, 'dma-buf-pin-busy', { buffer: expName });
  return error;
}

function* unpinAfterMap<M>(attach: DmaBufAttachment<M>): ModelTask<void> {
  const { ops } = attach.dmabuf;
  if (ops.unpin !== undefined && !dmaBufAttachmentIsDynamic(attach)) yield* ops.unpin(attach);
}

/** Static importers do not know of fences: the kernel's own are waited for on their behalf. */
function* waitForKernel<M>(attach: DmaBufAttachment<M>): ModelTask<number> {
  const { resv } = attach.dmabuf;
  const left = yield* dmaResvWaitTimeout(resv, DmaResvUsage.KERNEL, true, MAX_SCHEDULE_TIMEOUT);
  return Math.min(left, 0);
}
