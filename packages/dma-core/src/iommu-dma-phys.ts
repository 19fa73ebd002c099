// dma_map_phys behind an IOMMU: bounce if it must be, look after the caches, map one range. And the syncs in between.
// Source followed: drivers/iommu/dma-iommu.c (iommu_dma_map_phys, iommu_dma_unmap_phys, iommu_dma_sync_single_for_*).
// MMIO and REQUIRE_COHERENT never bounce, so their unmap need not look up the physical address.
// Simplified: see the bounce buffers.

import { type DmaAddr, frameOf, offsetWithin, PAGE_SIZE, type PhysAddr, physOfFrame } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { warnViolation } from '@sgfree/mm';
import {
  hasBouncePool,
  swiotlbSyncSingleForCpu,
  swiotlbSyncSingleForDevice,
  swiotlbTblUnmapSingle,
} from './bounce-buffers.ts';
import { needsCacheSync } from './cache-maintenance.ts';
import { type Device, dmaGetMask } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';
import { iommuDmaMapSwiotlb, iovaUnaligned, needsBounce } from './iommu-dma-bounce.ts';
import { cookieOf } from './iommu-dma-iova.ts';
import { dmaInfoToProt, iommuDmaMapRange, iommuDmaUnmapRange } from './iommu-dma-map.ts';

const neverBounces = (attrs: DmaAttrs): boolean => attrs.mmio === true || attrs.requireCoherent === true;

/**
 * Maps `size` bytes at `phys`; -1 on failure, with nothing left mapped, reserved or bounced.
 * @internal
 * @kernel iommu_dma_map_phys
 */
export function iommuDmaMapPhys(
  dev: Device,
  phys: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 {
  let source = phys;
  if (
    attrs.mmio !== true &&
    needsBounce(dev, size, dir) &&
    iovaUnaligned(cookieOf(dev).granule, phys, size)
  ) {
    if (attrs.requireCoherent === true) return DMA_MAPPING_ERROR;
    const bounced = iommuDmaMapSwiotlb(dev, phys, size, dir, attrs);
    if (bounced === DMA_MAPPING_ERROR) return DMA_MAPPING_ERROR;
    source = bounced;
  }
  if (needsCacheSync(dev, attrs)) {
    dev.platform.cache?.syncForDevice(source, size, dir);
    dev.platform.cache?.flush();
  }
  const prot = dmaInfoToProt(dir, dev.dmaCoherent, attrs);
  const address = iommuDmaMapRange(dev, source, size, prot, dmaGetMask(dev));
  if (address === DMA_MAPPING_ERROR && !neverBounces(attrs)) {
    swiotlbTblUnmapSingle(dev, source, size, dir, attrs);
  }
  return address;
}

/**
 * Unmaps what {@link iommuDmaMapPhys} mapped. An address that is not mapped posts rule `dma-unmap-of-unmapped`, and
 * nothing else happens.
 * @internal
 * @kernel iommu_dma_unmap_phys
 */
export function iommuDmaUnmapPhys(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (neverBounces(attrs)) {
    iommuDmaUnmapRange(dev, address, size);
    return;
  }
  // iommu_iova_to_phys, but the address is only made where something is done with it: most unmaps just want to know
  // that there is one.
  const frame = cookieOf(dev).domain.table.physOf(frameOf(address));
  if (frame < 0 || (frame === 0 && offsetWithin(address, PAGE_SIZE) === 0)) {
    warnViolation(dev.log, 'dma-unmap-of-unmapped', { device: dev.name, address, size });
    return;
  }
  if (dev.dmaCoherent && !hasBouncePool(dev)) {
    iommuDmaUnmapRange(dev, address, size);
    return;
  }
  const phys = physOfFrame(frame, offsetWithin(address, PAGE_SIZE));
  if (needsCacheSync(dev, attrs)) {
    dev.platform.cache?.syncForCpu(phys, size, dir);
    dev.platform.cache?.flush();
  }
  iommuDmaUnmapRange(dev, address, size);
  swiotlbTblUnmapSingle(dev, phys, size, dir, attrs);
}

/**
 * Makes what the device wrote visible to the CPU.
 * @internal
 * @kernel iommu_dma_sync_single_for_cpu
 */
export function iommuDmaSyncSingleForCpu(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  if (dev.dmaCoherent && !needsBounce(dev, size, dir)) return;
  const phys = iommuIovaToPhys(cookieOf(dev).domain, address);
  if (!dev.dmaCoherent) {
    dev.platform.cache?.syncForCpu(phys, size, dir);
    dev.platform.cache?.flush();
  }
  swiotlbSyncSingleForCpu(dev, phys, size, dir);
}

/**
 * Makes what the CPU wrote visible to the device.
 * @internal
 * @kernel iommu_dma_sync_single_for_device
 */
export function iommuDmaSyncSingleForDevice(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
): void {
  if (dev.dmaCoherent && !needsBounce(dev, size, dir)) return;
  const phys = iommuIovaToPhys(cookieOf(dev).domain, address);
  swiotlbSyncSingleForDevice(dev, phys, size, dir);
  if (dev.dmaCoherent) return;
  dev.platform.cache?.syncForDevice(phys, size, dir);
  dev.platform.cache?.flush();
}
