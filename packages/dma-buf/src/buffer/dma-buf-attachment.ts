// DmaBufAttachment: an importer's hold of a buffer, and what kind of importer it is.
// Source followed: dma_buf_dynamic_attach, dma_buf_attach, dma_buf_detach, dma_buf_attach_revocable and dma_buf_pin in
// drivers/dma-buf/dma-buf.c.
// Simplified: none.

import type { Device } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import type { DmaBuf } from './dma-buf.ts';
import type { DmaBufAttachOps } from './dma-buf-ops.ts';
import { needsLock, needsNoLock } from './lock-rules.ts';
import { tableAttachOf } from './table-attach.ts';

/** @internal */
export const ATTACHMENT_BYTES = 72;

/**
 * An importer's hold of a buffer.
 * @kernel dma_buf_attachment
 * @public
 */
export class DmaBufAttachment<Mapping> {
  readonly dmabuf: DmaBuf<Mapping>;
  readonly #dev: Device | null;
  /** Null for a static importer. */
  readonly importerOps: DmaBufAttachOps<Mapping> | null;
  readonly importerPriv: unknown;
  /** True when the importer takes a peer's memory; only the exporter's `attach` may clear it. */
  peer2peer: boolean;
  /** The exporter's own. */
  priv: unknown = null;

  /** @internal */
  constructor(
    dmabuf: DmaBuf<Mapping>,
    dev: Device | null,
    importerOps: DmaBufAttachOps<Mapping> | null,
    importerPriv: unknown,
  ) {
    this.dmabuf = dmabuf;
    this.#dev = dev;
    this.importerOps = importerOps;
    this.importerPriv = importerPriv;
    this.peer2peer = importerOps?.allowPeer2peer ?? false;
  }

  /** The importer's device. An attachment that is not made for one throws `DmaApiViolation` `dma-buf-attach-no-device`. */
  get dev(): Device {
    if (this.#dev === null) throw new DmaApiViolation('dma-buf-attach-no-device', this.dmabuf.expName);
    return this.#dev;
  }
}

/**
 * True for an importer that brought operations.
 * @kernel dma_buf_attachment_is_dynamic
 * @public
 */
export function dmaBufAttachmentIsDynamic<M>(attach: DmaBufAttachment<M>): boolean {
  return attach.importerOps !== null;
}

/**
 * True for an importer whose access can be taken back.
 * @kernel dma_buf_attach_revocable
 * @public
 */
export function dmaBufAttachRevocable<M>(attach: DmaBufAttachment<M>): boolean {
  return attach.importerOps?.invalidateMappings !== undefined;
}

/**
 * Attaches `dev`. The exporter may refuse with its errno; -ENOMEM; -EINVAL (a violation) without a buffer or device.
 * Called without the reservation lock. The newest attachment stands first.
 * @kernel dma_buf_dynamic_attach
 * @public
 */
export function* dmaBufDynamicAttach<M>(
  dmabuf: DmaBuf<M>,
  dev: Device | null,
  importerOps: DmaBufAttachOps<M> | null,
  importerPriv: unknown,
): ModelTask<Outcome<DmaBufAttachment<M>>> {
  const { log, allocate } = dmabuf.platform;
  needsNoLock(dmabuf, 'dma_buf_dynamic_attach');
  if (dev === null) {
    warnViolation(log, 'dma-buf-attach-null', { buffer: dmabuf.expName });
    return failure(Errno.EINVAL);
  }
  const attachByMatch = tableAttachOf(dmabuf);
  if (attachByMatch !== undefined) return yield* attachByMatch(dev, importerOps, importerPriv);
  if (!allocate(ATTACHMENT_BYTES)) return failure(Errno.ENOMEM);
  return yield* publishAttachment(new DmaBufAttachment(dmabuf, dev, importerOps, importerPriv));
}

/** Asks the exporter, and puts the attachment first in the buffer's list. @internal */
export function* publishAttachment<M, Attachment extends DmaBufAttachment<M>>(
  attach: Attachment & DmaBufAttachment<M>,
): ModelTask<Outcome<Attachment>> {
  const { dmabuf } = attach;
  const { ops } = dmabuf;
  const error = ops.attach === undefined ? 0 : yield* ops.attach(dmabuf, attach);
  if (error !== 0) return failure(-error as Errno);
  yield* dmaResvLock(dmabuf.resv);
  dmabuf.attachments.unshift(attach);
  dmaResvUnlock(dmabuf.resv);
  return success(attach);
}

/**
 * Attaches a static importer: one without operations, for which the core pins and waits.
 * @kernel dma_buf_attach
 * @public
 */
export function* dmaBufAttach<M>(
  dmabuf: DmaBuf<M>,
  dev: Device | null,
): ModelTask<Outcome<DmaBufAttachment<M>>> {
  return yield* dmaBufDynamicAttach(dmabuf, dev, null, null);
}

/**
 * Ends an attachment that has been unmapped and unpinned. One of another buffer is a violation and ignored. Called
 * without the reservation lock. Throws `DmaApiViolation` `dma-buf-detach-twice` for one that has ended.
 * @kernel dma_buf_detach
 * @public
 */
export function* dmaBufDetach<M>(dmabuf: DmaBuf<M>, attach: DmaBufAttachment<M>): ModelTask<void> {
  needsNoLock(dmabuf, 'dma_buf_detach');
  if (attach.dmabuf !== dmabuf) {
    warnViolation(dmabuf.platform.log, 'dma-buf-detach-other', { buffer: dmabuf.expName });
    return;
  }
  yield* dmaResvLock(dmabuf.resv);
  const at = dmabuf.attachments.indexOf(attach);
  if (at >= 0) dmabuf.attachments.splice(at, 1);
  dmaResvUnlock(dmabuf.resv);
  if (at < 0) throw new DmaApiViolation('dma-buf-detach-twice', dmabuf.expName);
  if (dmabuf.ops.detach !== undefined) yield* dmabuf.ops.detach(dmabuf, attach);
}

/**
 * Asks the exporter to keep the memory in place; 0 when it has nothing that could move. For dynamic importers only (else
 * a violation), with the lock held. 0 or the exporter's errno.
 * @kernel dma_buf_pin
 * @public
 */
export function* dmaBufPin<M>(attach: DmaBufAttachment<M>): ModelTask<number> {
  const { dmabuf } = attach;
  dynamicOnly(attach, 'dma_buf_pin');
  needsLock(dmabuf, 'dma_buf_pin');
  return dmabuf.ops.pin === undefined ? 0 : yield* dmabuf.ops.pin(attach);
}

/**
 * Takes a {@link dmaBufPin} back, with the lock held.
 * @kernel dma_buf_unpin
 * @public
 */
export function* dmaBufUnpin<M>(attach: DmaBufAttachment<M>): ModelTask<void> {
  const { dmabuf } = attach;
  dynamicOnly(attach, 'dma_buf_unpin');
  needsLock(dmabuf, 'dma_buf_unpin');
  if (dmabuf.ops.unpin !== undefined) yield* dmabuf.ops.unpin(attach);
}

function dynamicOnly<M>(attach: DmaBufAttachment<M>, call: string): void {
  if (dmaBufAttachmentIsDynamic(attach)) return;
  const { platform, expName } = attach.dmabuf;
  warnViolation(platform.log, 'dma-buf-pin-static', { call, buffer: expName });
}
