// Direct mappings: regions that firmware uses by physical address are mapped one to one before a device does DMA.
// Source followed: drivers/iommu/iommu.c (iommu_create_device_direct_mappings): VT-d RMRRs, AMD unity maps.
// Pages that are mapped already are left alone, so that devices of a group can name the same region.
// Simplified: the flush of the whole domain at the end is the caller's.

import { addOffset, alignUp, dmaAddr, physAddr } from '@sgfree/hw-model';
import { iommuMap } from './iommu-map.ts';
import { IOMMU_READ, IOMMU_WRITE } from './iommu-prot.ts';
import { iommuIovaToPhys } from './iommu-unmap.ts';
import type { PagingDomain } from './paging-domain.ts';
import type { ReservedRegion } from './reserved-region.ts';

/**
 * Maps the direct regions among `regions` one to one into a DMA domain, page by page of its smallest size; a domain of
 * another kind is left alone. Returns 0 or the first error of {@link iommuMap}.
 * @public
 * @kernel iommu_create_device_direct_mappings
 */
export function iommuCreateDeviceDirectMappings(
  domain: PagingDomain,
  regions: readonly ReservedRegion[],
): number {
  if (domain.type === 'unmanaged') return 0;
  for (const region of regions) {
    if (region.type !== 'direct' && region.type !== 'direct-relaxable') continue;
    const errno = mapOneToOne(domain, region);
    if (errno !== 0) return errno;
  }
  return 0;
}

function mapOneToOne(domain: PagingDomain, region: ReservedRegion): number {
  const page = domain.pgsizeBitmap & -domain.pgsizeBitmap;
  const prot = region.prot ?? IOMMU_READ | IOMMU_WRITE;
  const end = alignUp(addOffset(region.start, region.bytes), page);
  let run = 0;
  for (let at = alignUp(region.start, page); at <= end; at = addOffset(at, page)) {
    if (at < end && iommuIovaToPhys(domain, at) === 0) {
      run += page;
      continue;
    }
    if (run > 0) {
      const start = physAddr(addOffset(at, -run));
      const errno = iommuMap(domain, dmaAddr(start), start, run, prot);
      if (errno !== 0) return errno;
    }
    run = 0;
  }
  return 0;
}
