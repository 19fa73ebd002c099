// Whether the device's memory may be reached, and the lock under which that changes.
// Source followed: __vfio_pci_memory_enabled, vfio_pci_zap_bars and vfio_pci_zap_and_down_write_memory_lock in
// drivers/vfio/pci.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { PCI_COMMAND, PCI_COMMAND_MEMORY } from './memory-decoding.ts';
import { PCI_D3HOT } from './pci-power-state.ts';
import type { VfioPciDevice } from './vfio-pci-device.ts';

/**
 * True when the device is awake and the user's command register lets its memory answer; a function without that bit
 * always lets it.
 * @kernel __vfio_pci_memory_enabled
 * @public
 */
export function vfioPciMemoryEnabled(vdev: VfioPciDevice): boolean {
  if (vdev.powerState >= PCI_D3HOT) return false;
  return vdev.noCommandMemory || (vdev.config.read(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) !== 0;
}

/**
 * Takes every BAR page from the user; how many were there.
 * @kernel vfio_pci_zap_bars
 * @public
 */
export function vfioPciZapBars(vdev: VfioPciDevice): number {
  let zapped = 0;
  for (const mapping of vdev.userMappings) zapped += mapping.zap();
  vdev.counters.zaps += 1;
  vdev.counters.zappedPages += zapped;
  return zapped;
}

/**
 * Write-holds the memory lock with no page of a BAR left to the user.
 * @kernel vfio_pci_zap_and_down_write_memory_lock
 * @internal
 */
export function* vfioPciZapAndDownWriteMemoryLock(vdev: VfioPciDevice): ModelTask<void> {
  yield* vdev.memoryLock.writeLock();
  vfioPciZapBars(vdev);
}
