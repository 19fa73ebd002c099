// The scatterlist operation: what every importer calls until the last stages of the road, and gets a table from.
// Source followed: dma_buf_map_attachment and its kin in drivers/dma-buf/dma-buf.c.
// Simplified: none.

import type { DmaDataDirection } from '@sgfree/dma-core';
import type { SgTable } from '@sgfree/dma-sg';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaBufAttachment } from '../buffer/dma-buf-attachment.ts';
import { needsNoLock } from '../buffer/lock-rules.ts';
import { mapAttachment, unmapAttachment } from '../buffer/map-attachment.ts';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import { sgtFace } from './debug-sgt.ts';

/**
 * A table of DMA segments for the attachment's device, with the reservation lock held. For a static importer the exporter
 * is asked to pin first, and fences of the kernel's own are waited for; a dynamic one waits for those itself. The errno
 * of the step that failed, with everything before it undone; -ENOMEM also when the exporter gives no table.
 * @kernel dma_buf_map_attachment
 * @public
 */
export function* dmaBufMapAttachment(
  attach: DmaBufAttachment<SgTable>,
  dir: DmaDataDirection,
): ModelTask<Outcome<SgTable>> {
  return yield* mapAttachment(attach, dir, sgtFace);
}

/**
 * Gives a table back, with the reservation lock held.
 * @kernel dma_buf_unmap_attachment
 * @public
 */
export function* dmaBufUnmapAttachment(
  attach: DmaBufAttachment<SgTable>,
  table: SgTable,
  dir: DmaDataDirection,
): ModelTask<void> {
  yield* unmapAttachment(attach, table, dir, sgtFace);
}

/**
 * {@link dmaBufMapAttachment} for a caller without the lock.
 * @kernel dma_buf_map_attachment_unlocked
 * @public
 */
export function* dmaBufMapAttachmentUnlocked(
  attach: DmaBufAttachment<SgTable>,
  dir: DmaDataDirection,
): ModelTask<Outcome<SgTable>> {
  const { resv } = attach.dmabuf;
  needsNoLock(attach.dmabuf, 'dma_buf_map_attachment_unlocked');
  yield* dmaResvLock(resv);
  const table = yield* dmaBufMapAttachment(attach, dir);
  dmaResvUnlock(resv);
  return table;
}

/**
 * {@link dmaBufUnmapAttachment} for a caller without the lock.
 * @kernel dma_buf_unmap_attachment_unlocked
 * @public
 */
export function* dmaBufUnmapAttachmentUnlocked(
  attach: DmaBufAttachment<SgTable>,
  table: SgTable,
  dir: DmaDataDirection,
): ModelTask<void> {
  const { resv } = attach.dmabuf;
  needsNoLock(attach.dmabuf, 'dma_buf_unmap_attachment_unlocked');
  yield* dmaResvLock(resv);
  yield* dmaBufUnmapAttachment(attach, table, dir);
  dmaResvUnlock(resv);
}
