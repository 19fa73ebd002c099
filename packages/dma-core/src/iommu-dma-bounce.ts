// Bouncing in front of an IOMMU: when memory that shares a page with other data must not be mapped.
// Source followed: drivers/iommu/dma-iommu.c (dev_use_swiotlb, iova_unaligned, iommu_dma_map_swiotlb).
// An untrusted device sees whole granules, so a buffer that does not fill them goes through the bounce pool.
// Simplified: kmalloc memory never needs bouncing (as on x86-64).

import { addOffset, alignDown, alignUp, byteDistance, offsetWithin, type PhysAddr } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import { isSwiotlbActive, swiotlbTblMapSingle } from './bounce-buffers.ts';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';
import { traceSwiotlbBounced } from './dma-trace.ts';
import { cookieOf } from './iommu-dma-iova.ts';

/**
 * True when mappings of the device bounce unless they are whole granules.
 * @internal
 */
export const needsBounce = (dev: Device, _size: number, _dir: DmaDataDirection): boolean => dev.untrusted;

/**
 * True when start or size is no multiple of the granule.
 * @internal
 * @kernel iova_unaligned
 */
export const iovaUnaligned = (granule: number, phys: PhysAddr, size: number): boolean =>
  offsetWithin(phys, granule) !== 0 || offsetWithin(size, granule) !== 0;

/**
 * Takes slots for `size` bytes of `phys`, in whole granules, and clears what an untrusted device would see beside them.
 * The address in the pool; -1 without an active pool (rule `swiotlb-inactive`) or without room.
 * @internal
 * @kernel iommu_dma_map_swiotlb
 */
export function iommuDmaMapSwiotlb(
  dev: Device,
  phys: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): PhysAddr | -1 {
  const { granule } = cookieOf(dev);
  if (!isSwiotlbActive(dev)) {
    warnViolation(dev.log, 'swiotlb-inactive', { device: dev.name, phys, size });
    return DMA_MAPPING_ERROR;
  }
  traceSwiotlbBounced(dev, phys, size);
  const bounced = swiotlbTblMapSingle(dev, phys, size, granule - 1, dir, attrs);
  if (bounced !== DMA_MAPPING_ERROR && dev.untrusted) clearPadding(dev, bounced, size, granule);
  return bounced;
}

function clearPadding(dev: Device, bounced: PhysAddr, size: number, granule: number): void {
  const start = alignDown(bounced, granule);
  const dataEnd = addOffset(bounced, size);
  clear(dev, start, byteDistance(start, bounced));
  clear(dev, dataEnd, byteDistance(dataEnd, alignUp(dataEnd, granule)));
}

function clear(dev: Device, start: PhysAddr, bytes: number): void {
  if (bytes > 0) dev.platform.cpuView.write(start, new Uint8Array(bytes));
}
