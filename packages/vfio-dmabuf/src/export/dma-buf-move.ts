// The revoke engine: every buffer of a device is taken back, or becomes usable again.
// Source followed: vfio_pci_dma_buf_move in drivers/vfio/pci/vfio_pci_dmabuf.c.
// Two waits make the memory quiet: the fences of the reservation, then the mappings. Neither ends before the importers let
// go. Importers are told of both directions alike, and while the buffer is still marked as taken back.
// Simplified: none; `notify` devices leave both waits out.

import {
  type DmaBuf,
  DmaResvUsage,
  dmaBufInvalidateMappings,
  dmaResvLock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  getDmaBuf,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';
import type { VfioPciDmaBuf } from './vfio-pci-dma-buf.ts';

/**
 * Brings every live buffer of the device to `revoked`; the caller write-holds the memory lock (else a violation
 * `vfio-memory-lock-needed`). Taking back waits, without bound, until nobody uses the memory.
 * @kernel vfio_pci_dma_buf_move
 * @public
 */
export function* vfioPciDmaBufMove(vdev: VfioPciDevice, revoked: boolean): ModelTask<void> {
  if (!vdev.memoryLock.writeHeldByCurrent) {
    warnViolation(vdev.platform.log, 'vfio-memory-lock-needed', { device: vdev.name });
  }
  for (const priv of [...vdev.dmabufs]) {
    const { dmabuf } = priv;
    // Its last reference has gone; the release waits for the memory lock.
    if (dmabuf.refs === 0) continue;
    getDmaBuf(dmabuf);
    if (priv.revoked !== revoked) yield* moveOne(vdev, priv, revoked);
    fputDeferred(dmabuf);
  }
}

function* moveOne(vdev: VfioPciDevice, priv: VfioPciDmaBuf, revoked: boolean): ModelTask<void> {
  const { resv } = priv.dmabuf;
  if (revoked) post(vdev, priv, 'vfio:revoke-start');
  yield* dmaResvLock(resv);
  if (revoked) priv.revoked = true;
  yield* dmaBufInvalidateMappings(priv.dmabuf);
  if (priv.waits) yield* dmaResvWaitTimeout(resv, DmaResvUsage.BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
  dmaResvUnlock(resv);
  if (revoked) yield* takenBack(vdev, priv);
  else yield* givenOut(vdev, priv);
}

/** Waits for the mappings; afterwards they can be counted anew. */
function* takenBack(vdev: VfioPciDevice, priv: VfioPciDmaBuf): ModelTask<void> {
  if (priv.waits) {
    priv.put();
    yield* priv.done.wait();
    priv.rearm();
  }
  vdev.counters.revokes += 1;
  post(vdev, priv, 'vfio:revoked');
}

function* givenOut(vdev: VfioPciDevice, priv: VfioPciDmaBuf): ModelTask<void> {
  const { resv } = priv.dmabuf;
  yield* dmaResvLock(resv);
  priv.revoked = false;
  dmaResvUnlock(resv);
  vdev.counters.unrevokes += 1;
  post(vdev, priv, 'vfio:unrevoked');
}

function post(vdev: VfioPciDevice, priv: VfioPciDmaBuf, kind: string): void {
  const { log } = vdev.platform;
  if (log.enabled) log.post({ kind, step: vdev.step, device: vdev.name, buffer: priv.name });
}

/**
 * Gives a reference back; a release that this causes runs when the caller is through, because it needs the memory lock.
 * @internal
 */
export function fputDeferred(dmabuf: DmaBuf<unknown>): void {
  dmabuf.refs -= 1;
  if (dmabuf.refs === 0) dmabuf.platform.scheduler.spawn('fput', dmabuf.release());
}
