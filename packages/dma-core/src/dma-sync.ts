// Sync: hands a mapped buffer back and forth between CPU and device without unmapping it.
// Source followed: kernel/dma/mapping.c (__dma_sync_single_for_cpu, __dma_sync_single_for_device),
// include/linux/dma-mapping.h (dma_dev_need_sync). The events come after the operation, and only if there is one.
// Simplified: on a coherent device only bounced mappings have something to do.

import type { DmaAddr } from '@sgfree/hw-model';
import { debugDmaSyncSingleForCpu, debugDmaSyncSingleForDevice } from './debug/debug-mapping.ts';
import type { Device } from './device.ts';
import { dmaDirectSyncSingleForCpu, dmaDirectSyncSingleForDevice } from './dma-direct.ts';
import { checkDirection, type DmaDataDirection } from './dma-direction.ts';
import { isMappingError } from './dma-mask.ts';
import { traceDmaSync } from './dma-trace.ts';
import { iommuDmaSyncSingleForCpu, iommuDmaSyncSingleForDevice } from './iommu-dma-phys.ts';

/**
 * False when no sync of the device does anything. A kernel built with the checker always goes through the motions.
 * @public
 * @kernel dma_dev_need_sync
 */
export const dmaDevNeedSync = (dev: Device): boolean => !dev.dmaSkipSync || dev.platform.debug !== null;

/**
 * The CPU is about to read what the device wrote to `size` bytes at `addr`. What a failed mapping returned syncs nothing.
 * @public
 * @kernel dma_sync_single_for_cpu
 */
export function dmaSyncSingleForCpu(dev: Device, addr: DmaAddr, size: number, dir: DmaDataDirection): void {
  if (!dmaDevNeedSync(dev)) return;
  checkDirection(dir);
  if (!isMappingError(addr)) {
    if (dev.dmaIommu) iommuDmaSyncSingleForCpu(dev, addr, size, dir);
    else dmaDirectSyncSingleForCpu(dev, addr, size, dir, true);
  }
  if (dev.log.enabled) traceDmaSync('dma_sync_single_for_cpu', dev, addr, size, dir);
  if (dev.platform.debug !== null) debugDmaSyncSingleForCpu(dev, addr, size, dir);
}

/**
 * The device is about to use what the CPU wrote to `size` bytes at `addr`. What a failed mapping returned syncs nothing.
 * @public
 * @kernel dma_sync_single_for_device
 */
export function dmaSyncSingleForDevice(
  dev: Device,
  addr: DmaAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  if (!dmaDevNeedSync(dev)) return;
  checkDirection(dir);
  if (!isMappingError(addr)) {
    if (dev.dmaIommu) iommuDmaSyncSingleForDevice(dev, addr, size, dir);
    else dmaDirectSyncSingleForDevice(dev, addr, size, dir, true);
  }
  if (dev.log.enabled) traceDmaSync('dma_sync_single_for_device', dev, addr, size, dir);
  if (dev.platform.debug !== null) debugDmaSyncSingleForDevice(dev, addr, size, dir);
}
