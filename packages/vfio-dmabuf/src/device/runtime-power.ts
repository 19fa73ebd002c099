// The low power mode: a user lets the device sleep; each access wakes it for as long as it takes.
// Source followed: vfio_pci_runtime_pm_entry, vfio_pci_runtime_pm_exit and the runtime callbacks in
// drivers/vfio/pci/vfio_pci_core.c.
// Simplified: the event descriptor of a wake-up is a callback; the device sleeps at once, and waking it does not fail.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { vfioPciDmaBufMove } from '../export/dma-buf-move.ts';
import { vfioPciMemoryEnabled, vfioPciZapAndDownWriteMemoryLock } from './memory-enabled.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * Enters the mode; buffers are taken back first, also when it is engaged already: -EINVAL, and they stay so.
 * @kernel vfio_pci_runtime_pm_entry
 * @public
 */
export function* vfioPciRuntimePmEntry(
  vdev: VfioPciDevice,
  wake: (() => void) | null = null,
): ModelTask<number> {
  const { runtimePm, memoryLock } = vdev;
  yield* vfioPciZapAndDownWriteMemoryLock(vdev);
  yield* vfioPciDmaBufMove(vdev, true);
  const error = runtimePm.engaged ? -Errno.EINVAL : 0;
  if (error === 0) {
    runtimePm.engaged = true;
    runtimePm.wake = wake;
  }
  memoryLock.writeUnlock();
  return error;
}

/**
 * Leaves the mode; buffers become usable if the memory may be reached.
 * @kernel vfio_pci_runtime_pm_exit
 * @public
 */
export function* vfioPciRuntimePmExit(vdev: VfioPciDevice): ModelTask<void> {
  yield* vdev.memoryLock.writeLock();
  vdev.runtimePm.engaged = false;
  vdev.runtimePm.wake = null;
  if (vfioPciMemoryEnabled(vdev)) yield* vfioPciDmaBufMove(vdev, false);
  vdev.memoryLock.writeUnlock();
}

/** An access begins: a sleeping device wakes up. @internal */
export function* vfioPmRuntimeGet(vdev: VfioPciDevice): ModelTask<void> {
  const { runtimePm, decoding } = vdev;
  runtimePm.users += 1;
  if (!runtimePm.suspended) return;
  runtimePm.suspended = false;
  decoding.resume('suspend');
  const { wake } = runtimePm;
  if (wake === null) return;
  yield* vfioPciRuntimePmExit(vdev);
  wake();
}

/** An access has ended: the device may sleep again. @internal */
export function vfioPmRuntimePut(vdev: VfioPciDevice): void {
  const { runtimePm, decoding } = vdev;
  runtimePm.users -= 1;
  if (runtimePm.users > 0 || !runtimePm.engaged) return;
  runtimePm.suspended = true;
  decoding.stop('suspend');
}
