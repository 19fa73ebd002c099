// One range mapped and unmapped through the IOMMU: address, page table, IOTLB, in the kernel's order.
// Source followed: drivers/iommu/dma-iommu.c (dma_info_to_prot, __iommu_dma_map, __iommu_dma_unmap).
// A range is widened to whole granules. Unmapping in strict mode: page table, IOTLB flush, then the address is free. In
// lazy mode address and table pages wait in the flush queue instead; the address of a failed map never does.
// Simplified: none.

import { addOffset, type DmaAddr, type PhysAddr } from '@sgfree/hw-model';
import {
  IOMMU_CACHE,
  IOMMU_MMIO,
  IOMMU_PRIV,
  IOMMU_READ,
  IOMMU_WRITE,
  iommuIotlbSync,
  iommuMap,
  iommuUnmapFast,
} from '@sgfree/iommu';
import { warnViolation } from '@sgfree/mm';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';
import { queueIova } from './flush-queue/queue-iova.ts';
import type { IommuDmaCookie } from './iommu-dma-cookie.ts';
import { cookieOf, iommuDmaAllocIova, iommuDmaFreeIova } from './iommu-dma-iova.ts';

/**
 * The IOMMU permission bits of a mapping; none for direction 'none'.
 * @internal
 * @kernel dma_info_to_prot
 */
export function dmaInfoToProt(dir: DmaDataDirection, coherent: boolean, attrs: DmaAttrs): number {
  let prot = attrs.mmio === true ? IOMMU_MMIO : coherent ? IOMMU_CACHE : 0;
  if (attrs.privileged === true) prot |= IOMMU_PRIV;
  if (dir === 'bidirectional') return prot | IOMMU_READ | IOMMU_WRITE;
  if (dir === 'to-device') return prot | IOMMU_READ;
  return dir === 'from-device' ? prot | IOMMU_WRITE : 0;
}

/**
 * Maps `size` bytes at `phys` somewhere under `dmaMask`; -1 when there is no address, no table page, or the device wants
 * addresses aligned beyond the granule (rule `dma-min-align`).
 * @internal
 */
export function iommuDmaMapRange(
  dev: Device,
  phys: PhysAddr,
  size: number,
  prot: number,
  dmaMask: number,
): DmaAddr | -1 {
  const cookie = cookieOf(dev);
  if (dev.minAlignMask >= cookie.granule) {
    warnViolation(dev.log, 'dma-min-align', { device: dev.name, minAlignMask: dev.minAlignMask });
    return DMA_MAPPING_ERROR;
  }
  const offset = cookie.offsetInGranule(phys);
  const length = cookie.alignToGranule(size + offset);
  const iova = iommuDmaAllocIova(dev, length, dmaMask);
  if (iova === 0) return DMA_MAPPING_ERROR;
  if (iommuMap(cookie.domain, iova, addOffset(phys, -offset), length, prot) !== 0) {
    iommuDmaFreeIova(dev, iova, length);
    return DMA_MAPPING_ERROR;
  }
  return addOffset(iova, offset);
}

/**
 * Unmaps `size` bytes at `address`, flushes the IOTLB, and gives the address back; in lazy mode the latter two happen
 * later. A page table that held less posts rule `dma-unmap-short`.
 * @internal
 */
export function iommuDmaUnmapRange(dev: Device, address: DmaAddr, size: number): void {
  const cookie = cookieOf(dev);
  const { domain, gather, flushQueue } = cookie;
  const offset = cookie.offsetInGranule(address);
  const iova = addOffset(address, -offset);
  const length = cookie.alignToGranule(size + offset);
  gather.queued = flushQueue !== null;
  const unmapped = iommuUnmapFast(domain, iova, length, gather);
  if (unmapped !== length) {
    warnViolation(dev.log, 'dma-unmap-short', { device: dev.name, address: iova, size: length, unmapped });
  }
  if (flushQueue === null) {
    iommuIotlbSync(domain, gather);
    iommuDmaFreeIova(dev, iova, length);
    return;
  }
  const tables = takeTables(cookie);
  const cpu = dev.platform.currentCpu;
  queueIova(cookie, flushQueue, cookie.granules(iova), cookie.granules(length), tables, cpu);
}

/** The table pages that the unmap took out, which now ride in the flush queue; the gather is empty again. */
function takeTables({ gather }: IommuDmaCookie): readonly number[] | null {
  gather.queued = false;
  return gather.freelist.length === 0 ? null : gather.freelist.splice(0);
}
