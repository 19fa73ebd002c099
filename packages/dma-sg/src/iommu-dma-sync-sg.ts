// Syncing a scatterlist behind an IOMMU: caches entry by entry on the CPU's view, or bounce slots on the device's.
// Source followed: drivers/iommu/dma-iommu.c (iommu_dma_sync_sg_for_cpu, iommu_dma_sync_sg_for_device).
// Simplified: none.

import {
  type Device,
  type DmaDataDirection,
  iommuDmaSyncSingleForCpu,
  iommuDmaSyncSingleForDevice,
} from '@sgfree/dma-core';
import { dmaAddr } from '@sgfree/hw-model';
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
    for (let sg = 0; sg < nelems; sg += 1) {
      iommuDmaSyncSingleForCpu(dev, dmaAddr(sgl.dmaAddress[sg] as number), sgl.length[sg] as number, dir);
    }
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
    for (let sg = 0; sg < nelems; sg += 1) {
      iommuDmaSyncSingleForDevice(dev, dmaAddr(sgl.dmaAddress[sg] as number), sgl.length[sg] as number, dir);
    }
  } else if (!dev.dmaCoherent) {
    const { cache } = dev.platform;
    for (let sg = 0; sg < nelems; sg += 1) {
      cache?.syncForDevice(sgPhys(sgl, sg), sgl.length[sg] as number, dir);
    }
    cache?.flush();
  }
}
