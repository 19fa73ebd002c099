// dma_map_sg behind an IOMMU: one IOVA range for the whole list, one page-table call per contiguous run, one unmap.
// Source followed: drivers/iommu/dma-iommu.c (iommu_dma_map_sg, iommu_dma_unmap_sg and their swiotlb variants).
// Kept from Linux: what the page table reports comes out as -EINVAL unless it is -ENOMEM (sg-errno-collapse); a short
// map gives the range back without unmapping (sg-short-map-leak); the bounce mark of a list is never cleared and
// decides how it is unmapped (sg-swiotlb-flag-sticky).
// Simplified: kmalloc memory never needs bouncing (as on x86-64), so that only untrusted devices bounce lists.

import {
  cookieOf,
  type Device,
  DMA_MAPPING_ERROR,
  type DmaAttrs,
  type DmaDataDirection,
  dmaGetMask,
  dmaInfoToProt,
  iommuDmaAllocIova,
  iommuDmaFreeIova,
  iommuDmaMapPhys,
  iommuDmaUnmapPhys,
  iommuDmaUnmapRange,
  needsBounce,
} from '@sgfree/dma-core';
import { byteDistance, type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { Errno, warnViolation } from '@sgfree/mm';
import { iommuDmaSyncSgForCpu, iommuDmaSyncSgForDevice } from './iommu-dma-sync-sg.ts';
import { iommuMapSg } from './iommu-map-sg.ts';
import { sgDmaIsBusAddress, sgDmaUnmarkBusAddress } from './peer-bus-address.ts';
import { type Scatterlist, SG_DMA_SWIOTLB, sgPhys } from './scatterlist.ts';
import { __finaliseSg } from './sg-finalise.ts';
import { __invalidateSg, layoutSg } from './sg-layout.ts';

/**
 * Maps the first `nents` entries. Returns the number of DMA segments, or -EREMOTEIO (a peer out of reach), -ENOMEM (no
 * IOVA, no table page), -EIO (a bounce failed), -EINVAL (everything else); after an error nothing is mapped.
 * @internal
 * @kernel iommu_dma_map_sg
 */
export function iommuDmaMapSg(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  if (needsSgBounce(dev, sg, nents, dir)) return iommuDmaMapSgSwiotlb(dev, sg, nents, dir, attrs);
  if (attrs.skipCpuSync !== true) iommuDmaSyncSgForDevice(dev, sg, nents, dir);
  const bytes = layoutSg(dev, sg, nents, cookieOf(dev).granule);
  if (bytes < 0) return restored(sg, nents, bytes);
  if (bytes === 0) return __finaliseSg(dev, sg, nents, 0);
  const iova = iommuDmaAllocIova(dev, bytes, dmaGetMask(dev));
  if (iova === 0) return restored(sg, nents, -Errno.ENOMEM);
  const prot = dmaInfoToProt(dir, dev.dmaCoherent, attrs);
  const mapped = iommuMapSg(cookieOf(dev).domain, iova, sg, nents, prot);
  if (mapped < bytes) {
    iommuDmaFreeIova(dev, iova, bytes);
    return restored(sg, nents, mapped);
  }
  return __finaliseSg(dev, sg, nents, iova);
}

function restored(sg: Scatterlist, nents: number, errno: number): number {
  __invalidateSg(sg, nents);
  return errno === -Errno.ENOMEM || errno === -Errno.EREMOTEIO ? errno : -Errno.EINVAL;
}

function needsSgBounce(dev: Device, sg: Scatterlist, nents: number, dir: DmaDataDirection): boolean {
  return nents > 0 && needsBounce(dev, sg.length[0] as number, dir);
}

/**
 * Maps entry by entry, so that each can bounce; nothing is merged. Returns `nents`, or -EIO with nothing left mapped.
 * @internal
 * @kernel iommu_dma_map_sg_swiotlb
 */
export function iommuDmaMapSgSwiotlb(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  sg.dmaFlags[0] = (sg.dmaFlags[0] as number) | SG_DMA_SWIOTLB;
  for (let s = 0; s < nents; s += 1) {
    const bytes = sg.length[s] as number;
    const address = iommuDmaMapPhys(dev, sgPhys(sg, s), bytes, dir, attrs);
    sg.dmaAddress[s] = address;
    if (address === DMA_MAPPING_ERROR) {
      iommuDmaUnmapSgSwiotlb(dev, sg, s, dir, { ...attrs, skipCpuSync: true });
      return -Errno.EIO;
    }
    sg.dmaLength[s] = bytes;
  }
  return nents;
}

/**
 * Unmaps a list that {@link iommuDmaMapSg} mapped; `nents` counts its entries, not its segments. DMA fields stay.
 * @internal
 * @kernel iommu_dma_unmap_sg
 */
export function iommuDmaUnmapSg(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (((sg.dmaFlags[0] as number) & SG_DMA_SWIOTLB) !== 0) {
    iommuDmaUnmapSgSwiotlb(dev, sg, nents, dir, attrs);
    return;
  }
  if (attrs.skipCpuSync !== true) iommuDmaSyncSgForCpu(dev, sg, nents, dir);
  let start: DmaAddr | -1 = -1;
  let bytes = 0;
  for (let s = 0; s < nents; s += 1) {
    if (sgDmaIsBusAddress(sg, s)) {
      sgDmaUnmarkBusAddress(sg, s);
      continue;
    }
    const segment = sg.dmaLength[s] as number;
    if (segment === 0) break;
    const address = dmaAddr(sg.dmaAddress[s] as number);
    if (start === -1) start = address;
    bytes = byteDistance(start, address) + segment;
  }
  if (start !== -1) iommuDmaUnmapRange(dev, start, bytes);
}

/**
 * Unmaps entry by entry. An entry without address posts rule `dma-unmap-of-unmapped`.
 * @internal
 * @kernel iommu_dma_unmap_sg_swiotlb
 */
export function iommuDmaUnmapSgSwiotlb(
  dev: Device,
  sg: Scatterlist,
  nents: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  for (let s = 0; s < nents; s += 1) {
    const address = sg.dmaAddress[s] as number;
    const bytes = sg.dmaLength[s] as number;
    if (address === DMA_MAPPING_ERROR) {
      warnViolation(dev.log, 'dma-unmap-of-unmapped', { device: dev.name, address, size: bytes });
    } else {
      iommuDmaUnmapPhys(dev, dmaAddr(address), bytes, dir, attrs);
    }
  }
}
