// The end of a device's buffers: taken back for good, and no longer the device's.
// Source followed: vfio_pci_dma_buf_cleanup in drivers/vfio/pci/vfio_pci_dmabuf.c.
// Descriptors live on and answer ENODEV to whoever attaches or maps.
// Simplified: none.

import { getDmaBuf } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';
import { fputDeferred, vfioPciDmaBufMove } from './dma-buf-move.ts';

/**
 * Takes every buffer back and lets go of it, except those that are being released anyway. Waits as
 * {@link vfioPciDmaBufMove} does, with the memory lock held.
 * @kernel vfio_pci_dma_buf_cleanup
 * @public
 */
export function* vfioPciDmaBufCleanup(vdev: VfioPciDevice): ModelTask<void> {
  yield* vdev.memoryLock.writeLock();
  yield* vfioPciDmaBufMove(vdev, true);
  for (const priv of [...vdev.dmabufs]) {
    const { dmabuf } = priv;
    if (dmabuf.refs === 0) continue;
    getDmaBuf(dmabuf);
    vdev.dmabufs.splice(vdev.dmabufs.indexOf(priv), 1);
    priv.vdev = null;
    vdev.registration.put();
    fputDeferred(dmabuf);
  }
  vdev.memoryLock.writeUnlock();
}
