// Opening a device and closing it for the last time.
// Source followed: vfio_pci_core_enable, vfio_pci_core_disable and vfio_pci_core_close_device in
// drivers/vfio/pci/vfio_pci_core.c.
// Simplified: the function is awake and decodes memory once it is enabled; no interrupts to give back.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { vfioPciDmaBufCleanup } from '../export/dma-buf-cleanup.ts';
import { PCI_COMMAND, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY } from './memory-decoding.ts';
import { vfioPciSetPowerState } from './power-state.ts';
import { pciTryResetFunction } from './reset-function.ts';
import { vfioPciRuntimePmExit, vfioPmRuntimeGet, vfioPmRuntimePut } from './runtime-power.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * Opens the device; the first opener gets it reset, with its memory on and bus mastering off. -ENODEV when the device is
 * being removed; -EAGAIN when somebody else is resetting it.
 * @kernel vfio_pci_core_enable
 * @public
 */
export function* vfioPciCoreEnable(vdev: VfioPciDevice): ModelTask<number> {
  if (!vdev.registration.tryGet()) return -Errno.ENODEV;
  if (vdev.openCount === 0) {
    const error = yield* enable(vdev);
    if (error !== 0) {
      vdev.registration.put();
      return error;
    }
  }
  vdev.openCount += 1;
  return 0;
}

function* enable(vdev: VfioPciDevice): ModelTask<number> {
  vfioPciSetPowerState(vdev, 0);
  setCommand(vdev, PCI_COMMAND_MASTER, 0);
  setCommand(vdev, 0, PCI_COMMAND_MEMORY);
  const error = yield* pciTryResetFunction(vdev);
  if (error === -Errno.EAGAIN) return error;
  vdev.resetWorks = error === 0;
  vdev.config.init();
  return 0;
}

/**
 * Closes the device. The last one takes every buffer back for good, which waits for the importers, and resets it.
 * @kernel vfio_pci_core_close_device
 * @public
 */
export function* vfioPciCoreCloseDevice(vdev: VfioPciDevice): ModelTask<void> {
  if (vdev.openCount === 1) yield* disable(vdev);
  vdev.openCount -= 1;
  vdev.registration.put();
}

function* disable(vdev: VfioPciDevice): ModelTask<void> {
  yield* vfioPciDmaBufCleanup(vdev);
  vdev.userMappings.length = 0;
  // Without its low power mode a sleeping device wakes up and nobody is told.
  yield* vfioPciRuntimePmExit(vdev);
  yield* vfioPmRuntimeGet(vdev);
  vfioPciSetPowerState(vdev, 0);
  setCommand(vdev, PCI_COMMAND_MASTER, 0);
  if (vdev.resetWorks) yield* pciTryResetFunction(vdev);
  vfioPmRuntimePut(vdev);
}

function setCommand(vdev: VfioPciDevice, clear: number, set: number): void {
  const { config } = vdev.pdev.fn;
  // A stopped function shows no memory bit; what was written to it counts.
  const now = config.read(PCI_COMMAND, 2) | (vdev.decoding.bit ? PCI_COMMAND_MEMORY : 0);
  config.write(PCI_COMMAND, 2, (now & ~clear) | set);
  vdev.decoding.commandWritten();
}
