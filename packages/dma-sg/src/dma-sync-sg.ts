// Syncing a mapped scatterlist: hands it back and forth between CPU and device without unmapping it.
// Source followed: kernel/dma/mapping.c (__dma_sync_sg_for_cpu, __dma_sync_sg_for_device),
// include/linux/dma-mapping.h (dma_sync_sgtable_for_cpu, dma_sync_sgtable_for_device).
// The events come after the operation, and only if there is one.
// Simplified: no dma_ops other than the two backends.

import { checkDirection, type Device, type DmaDataDirection, dmaDevNeedSync } from '@sgfree/dma-core';
import { dmaDirectSyncSgForCpu, dmaDirectSyncSgForDevice } from './dma-direct-sg.ts';
import { iommuDmaSyncSgForCpu, iommuDmaSyncSgForDevice } from './iommu-dma-sync-sg.ts';
import type { Scatterlist } from './scatterlist.ts';
import { debugDmaSyncSgForCpu, debugDmaSyncSgForDevice } from './sg-debug.ts';
import type { SgTable } from './sg-table.ts';
import { traceDmaSyncSg } from './sg-trace.ts';

/**
 * The CPU is about to read what the device wrote; `nelems` is the number of entries that was mapped.
 * @public
 * @kernel dma_sync_sg_for_cpu
 */
export function dmaSyncSgForCpu(dev: Device, sg: Scatterlist, nelems: number, dir: DmaDataDirection): void {
  if (!dmaDevNeedSync(dev)) return;
  checkDirection(dir);
  if (dev.dmaIommu) iommuDmaSyncSgForCpu(dev, sg, nelems, dir);
  else dmaDirectSyncSgForCpu(dev, sg, nelems, dir);
  if (dev.log.enabled) traceDmaSyncSg('dma:dma_sync_sg_for_cpu', dev, sg, nelems, dir);
  if (dev.platform.debug !== null) debugDmaSyncSgForCpu(dev, sg, nelems, dir);
}

/**
 * The device is about to use what the CPU wrote; `nelems` is the number of entries that was mapped.
 * @public
 * @kernel dma_sync_sg_for_device
 */
export function dmaSyncSgForDevice(
  dev: Device,
  sg: Scatterlist,
  nelems: number,
  dir: DmaDataDirection,
): void {
  if (!dmaDevNeedSync(dev)) return;
  checkDirection(dir);
  if (dev.dmaIommu) iommuDmaSyncSgForDevice(dev, sg, nelems, dir);
  else dmaDirectSyncSgForDevice(dev, sg, nelems, dir);
  if (dev.log.enabled) traceDmaSyncSg('dma:dma_sync_sg_for_device', dev, sg, nelems, dir);
  if (dev.platform.debug !== null) debugDmaSyncSgForDevice(dev, sg, nelems, dir);
}

/**
 * {@link dmaSyncSgForCpu} over a whole table.
 * @public
 * @kernel dma_sync_sgtable_for_cpu
 */
export const dmaSyncSgtableForCpu = (dev: Device, sgt: SgTable, dir: DmaDataDirection): void =>
  dmaSyncSgForCpu(dev, sgt.list, sgt.segmentCount, dir);

/**
 * {@link dmaSyncSgForDevice} over a whole table.
 * @public
 * @kernel dma_sync_sgtable_for_device
 */
export const dmaSyncSgtableForDevice = (dev: Device, sgt: SgTable, dir: DmaDataDirection): void =>
  dmaSyncSgForDevice(dev, sgt.list, sgt.segmentCount, dir);
