// Direct mappings: regions that firmware uses by physical address are mapped one to one before a device does DMA.
// Source followed: drivers/iommu/iommu.c (iommu_create_device_direct_mappings): VT-d RMRRs, AMD unity maps.
// Pages that are mapped already are left alone, so that devices of a group can name the same region.
// Simplified: regions are readable and writable; the flush of the whole domain at the end is the caller's.

import { addOffset, alignUp, dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { IOMMU_READ, IOMMU_WRITE, iommuIovaToPhys, iommuMap, type PagingDomain } from '@sgfree/iommu';
import type { Device } from './device.ts';
import { iommuGetDmaCookie } from './iommu-dma-cookie.ts';
import type { ReservedRegion } from './reserved-region.ts';

/**
 * Maps the direct regions of `dev` into a DMA domain, granule by granule. 0 or the first error of the page table.
 * @public
 * @kernel iommu_create_device_direct_mappings
 */
export function iommuCreateDeviceDirectMappings(domain: PagingDomain, dev: Device): number {
  if (domain.type !== 'dma') return 0;
  for (const region of dev.reservedRegions) {
    if (region.type !== 'direct' && region.type !== 'direct-relaxable') continue;
    const errno = mapOneToOne(domain, region);
    if (errno !== 0) return errno;
  }
  return 0;
}

function mapOneToOne(domain: PagingDomain, region: ReservedRegion): number {
  const { granule } = iommuGetDmaCookie(domain);
  const end = alignUp(addOffset(region.start, region.bytes), granule);
  let run = 0;
  for (let at = alignUp(region.start, granule); at <= end; at = addOffset(at, granule)) {
    if (at < end && iommuIovaToPhys(domain, at) === 0) {
      run += granule;
      continue;
    }
    if (run > 0) {
      const start: PhysAddr = physAddr(addOffset(at, -run));
      const errno = iommuMap(domain, dmaAddr(start), start, run, IOMMU_READ | IOMMU_WRITE);
      if (errno !== 0) return errno;
    }
    run = 0;
  }
  return 0;
}
