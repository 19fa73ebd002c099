// Syncing a scatterlist behind an IOMMU: caches entry by entry on the CPU's view, or bounce slots on the device's.
// Source followed: drivers/iommu/dma-iommu.c (iommu_dma_sync_sg_for_cpu, iommu_dma_sync_sg_for_device).
// An entry without address, as merging leaves them in a list whose mark is still set, has no slot to copy and is left alone.
// Nothing is reported, as in Linux.
// Simplified: none.

import {
  type Device,
  DMA_MAPPING_ERROR,
  type DmaDataDirection,
  iommuDmaSyncSingleForCpu,
  iommuDmaSyncSingleForDevice,
} from '@sgfree/dma-core';
import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { type Scatterlist, SG_DMA_SWIOTLB, sgPhys } from './scatterlist.ts';

const bounced = (sgl: Scatterlist, nelems: number): boolean =>
  nelems > 0 && ((sgl.dmaFlags[0] as number) & SG_DMA_SWIOTLB) !== 0;

/**
 * Makes what the device wrote visible to the CPU.
 * @internal
 * @kernel iommu_dma_sync_sg_for_cpu
 */
export function iommuDmaSyncSgForCpu(
  dev: Device,
  sgl: Scatterlist,
  nelems: number,
  dir: DmaDataDirection,
): void {
  if (bounced(sgl, nelems)) {
    forEachSegment(sgl, nelems, (address, bytes) => iommuDmaSyncSingleForCpu(dev, address, bytes, dir));
  } else if (!dev.dmaCoherent) {
    const { cache } = dev.platform;
    for (let sg = 0; sg < nelems; sg += 1) {
      cache?.syncForCpu(sgPhys(sgl, sg), sgl.length[sg] as number, dir);
    }
    cache?.flush();
  }
}

/**
 * Makes what the CPU wrote visible to the device.
 * @internal
 * @kernel iommu_dma_sync_sg_for_device
 */
export function iommuDmaSyncSgForDevice(
  dev: Device,
  sgl: Scatterlist,
  nelems: number,
  dir: DmaDataDirection,
): void {
  if (bounced(sgl, nelems)) {
    forEachSegment(sgl, nelems, (address, bytes) => iommuDmaSyncSingleForDevice(dev, address, bytes, dir));
  } else if (!dev.dmaCoherent) {
    const { cache } = dev.platform;
    for (let sg = 0; sg < nelems; sg += 1) {
      cache?.syncForDevice(sgPhys(sgl, sg), sgl.length[sg] as number, dir);
    }
    cache?.flush();
  }
}

/** Visits the DMA address and the CPU length of each entry that has an address. */
function forEachSegment(
  sgl: Scatterlist,
  nelems: number,
  visit: (address: DmaAddr, bytes: number) => void,
): void {
  for (let sg = 0; sg < nelems; sg += 1) {
    const address = sgl.dmaAddress[sg] as number;
    if (address !== DMA_MAPPING_ERROR) visit(dmaAddr(address), sgl.length[sg] as number);
  }
}
