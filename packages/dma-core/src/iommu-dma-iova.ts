// Addresses for mappings: which limit a request has, and the preference of PCI devices for addresses below 4 GiB.
// Source followed: drivers/iommu/dma-iommu.c (iommu_dma_alloc_iova, iommu_dma_free_iova).
// A PCI device tries 32-bit addresses first until that fails once; then never again (quirk iova-32bit-first-once).
// Simplified: no MSI-cookie domains, whose addresses are a bump pointer. What is freed late is queued elsewhere.

import { type DmaAddr, dmaAddr } from '@sgfree/hw-model';
import { allocIovaFast, freeIovaFast } from '@sgfree/iommu';
import { DmaApiViolation } from '@sgfree/mm';
import type { Device } from './device.ts';
import { lastGranuleUnder, minNotZero } from './dma-mask.ts';
import type { IommuDmaCookie } from './iommu-dma-cookie.ts';

const LAST_32_BIT = 0xffffffff;

/**
 * True when the device's mappings go through the IOMMU.
 * @public
 * @kernel use_dma_iommu
 */
export const useDmaIommu = (dev: Device): boolean => dev.dmaIommu;

/**
 * The cookie of a device behind an IOMMU; throws {@link @sgfree/mm#DmaApiViolation} `dma-no-iommu` for any other.
 * @internal
 */
export function cookieOf(dev: Device): IommuDmaCookie {
  if (dev.cookie === null) throw new DmaApiViolation('dma-no-iommu', `${dev.name} has no DMA domain`);
  return dev.cookie;
}

/**
 * An address for `size` bytes (whole granules) under `dmaLimit`, the bus limit and the domain's aperture; 0 = none left
 * (a plain number: this is a hot path).
 * @internal
 * @kernel iommu_dma_alloc_iova
 */
export function iommuDmaAllocIova(dev: Device, size: number, dmaLimit: number): DmaAddr | 0 {
  const cookie = cookieOf(dev);
  const { iovad, granule, apertureLastPfn, last32BitPfn } = cookie;
  const cpu = dev.platform.currentCpu;
  const limit = minNotZero(dmaLimit, dev.busDmaLimit);
  const limitPfn = Math.min(lastGranuleUnder(limit, granule), apertureLastPfn);
  const length = cookie.granules(size);
  if (dev.pci32BitWorkaround && limit > LAST_32_BIT && apertureLastPfn > last32BitPfn) {
    const pfn = allocIovaFast(iovad, length, last32BitPfn, false, cpu);
    if (pfn !== 0) return dmaAddr(pfn * granule);
    dev.pci32BitWorkaround = false;
    noteWideAddresses(dev, dmaLimit);
  }
  const pfn = allocIovaFast(iovad, length, limitPfn, true, cpu);
  return pfn === 0 ? 0 : dmaAddr(pfn * granule);
}

/** What the kernel logs: "Using %d-bit DMA addresses". */
function noteWideAddresses(dev: Device, dmaLimit: number): void {
  if (!dev.log.enabled) return;
  dev.log.post({ kind: 'dma:wide-addresses', device: dev.name, bits: Math.ceil(Math.log2(dmaLimit)) });
}

/**
 * Gives back `size` bytes (whole granules) at `iova`, both as they were allocated.
 * @internal
 * @kernel iommu_dma_free_iova
 */
export function iommuDmaFreeIova(dev: Device, iova: DmaAddr, size: number): void {
  const cookie = cookieOf(dev);
  freeIovaFast(cookie.iovad, cookie.granules(iova), cookie.granules(size), dev.platform.currentCpu);
}
