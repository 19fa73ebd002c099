// The user resets the device.
// Source followed: vfio_pci_ioctl_reset in drivers/vfio/pci/vfio_pci_core.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { vfioPciDmaBufMove } from '../export/dma-buf-move.ts';
import { vfioPciMemoryEnabled, vfioPciZapAndDownWriteMemoryLock } from './memory-enabled.ts';
import { vfioPciSetPowerState } from './power-state.ts';
import { pciTryResetFunction } from './reset-function.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * VFIO_DEVICE_RESET: takes the buffers back, resets, gives them out again, and returns the reset's error. -EINVAL when
 * the function could not be reset at open.
 * @kernel vfio_pci_ioctl_reset
 * @public
 */
export function* vfioPciIoctlReset(vdev: VfioPciDevice): ModelTask<number> {
  if (!vdev.resetWorks) return -Errno.EINVAL;
  yield* vfioPciZapAndDownWriteMemoryLock(vdev);
  vfioPciSetPowerState(vdev, 0);
  yield* vfioPciDmaBufMove(vdev, true);
  const error = yield* pciTryResetFunction(vdev);
  if (vfioPciMemoryEnabled(vdev)) yield* vfioPciDmaBufMove(vdev, false);
  vdev.memoryLock.writeUnlock();
  return error;
}

/**
 * A function-level reset that the user asked for through a register; its error is nobody's.
 * @internal
 */
export function* registerReset(vdev: VfioPciDevice): ModelTask<void> {
  yield* vfioPciZapAndDownWriteMemoryLock(vdev);
  yield* vfioPciDmaBufMove(vdev, true);
  yield* pciTryResetFunction(vdev);
  if (vfioPciMemoryEnabled(vdev)) yield* vfioPciDmaBufMove(vdev, false);
  vdev.memoryLock.writeUnlock();
}
