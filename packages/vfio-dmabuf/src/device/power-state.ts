// Power states of the function: from D3hot on its memory does not answer, and its buffers are taken back.
// Source followed: vfio_pci_set_power_state in drivers/vfio/pci/vfio_pci_core.c, vfio_lock_and_set_power_state in
// drivers/vfio/pci/vfio_pci_config.c.
// Simplified: changes of state take no time and do not fail; nothing is lost in D3hot.

import type { ModelTask } from '@sgfree/hw-model';
import { PM_CTRL } from '../config/virtual-config.ts';
import { vfioPciDmaBufMove } from '../export/dma-buf-move.ts';
import { vfioPciMemoryEnabled, vfioPciZapAndDownWriteMemoryLock } from './memory-enabled.ts';
import { PCI_D3HOT, type PciPowerState } from './pci-power-state.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/** The state is the lowest field of the power management control. */
const PM_STATES = 4;

/**
 * Puts the function into a power state, which its power management control shows; the caller write-holds the memory lock.
 * @kernel vfio_pci_set_power_state
 * @internal
 */
export function vfioPciSetPowerState(vdev: VfioPciDevice, state: PciPowerState): void {
  const { config, pdev } = vdev;
  vdev.powerState = state;
  if (config.pmAt !== 0) {
    const control = config.hardware(config.pmAt + PM_CTRL, 2);
    pdev.fn.config.write(config.pmAt + PM_CTRL, 2, control - (control % PM_STATES) + state);
  }
  if (state >= PCI_D3HOT) vdev.decoding.stop('power');
  else vdev.decoding.resume('power');
}

/**
 * Changes the power state: asleep, the user's pages and all mappings of buffers are gone before; awake, buffers become
 * usable if the command register lets memory answer.
 * @kernel vfio_lock_and_set_power_state
 * @public
 */
export function* vfioLockAndSetPowerState(vdev: VfioPciDevice, state: PciPowerState): ModelTask<void> {
  if (state >= PCI_D3HOT) {
    yield* vfioPciZapAndDownWriteMemoryLock(vdev);
    yield* vfioPciDmaBufMove(vdev, true);
  } else {
    yield* vdev.memoryLock.writeLock();
  }
  vfioPciSetPowerState(vdev, state);
  if (vfioPciMemoryEnabled(vdev)) yield* vfioPciDmaBufMove(vdev, false);
  vdev.memoryLock.writeUnlock();
}
