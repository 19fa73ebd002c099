// Reserved regions: what a VT-d unit tells the IOMMU core to keep free or to map one to one for a device.
// Source followed: drivers/iommu/intel/iommu.c intel_iommu_get_resv_regions(); drivers/iommu/iommu.c
// iommu_create_device_direct_mappings().
// Simplified: regions of firmware (RMRR) are given by whoever builds the machine, not read from ACPI.

import { addOffset, alignUp, type DmaAddr, dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuMap } from '../domain/iommu-map.ts';
import { IOMMU_MMIO, IOMMU_NOEXEC, IOMMU_READ, IOMMU_WRITE } from '../domain/iommu-prot.ts';
import { iommuIovaToPhys } from '../domain/iommu-unmap.ts';
import type { PagingDomain } from '../domain/paging-domain.ts';

/**
 * A range of addresses that a device behind a VT-d unit must not get mappings in.
 * @public
 */
export interface VtdReservedRegion {
  readonly start: DmaAddr;
  readonly bytes: number;
  /** `direct` regions are mapped one to one, `direct-relaxable` ones too as long as the kernel owns the device. */
  readonly type: 'msi' | 'direct' | 'direct-relaxable';
  /** IOMMU_ bits of the mapping. */
  readonly prot: number;
}

/**
 * Memory that firmware has promised to a device (RMRR).
 * @public
 */
export interface FirmwareRegion {
  readonly base: PhysAddr;
  readonly bytes: number;
  readonly requesterIds: readonly number[];
  /** The device stops using it once a driver takes over (USB, graphics). */
  readonly relaxable: boolean;
}

/** Interrupt messages: 0xfee00000 to 0xfeefffff. */
const MSI_REGION: VtdReservedRegion = {
  start: dmaAddr(0xfee00000),
  bytes: 0x100000,
  type: 'msi',
  prot: IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO,
};

/**
 * The reserved regions of `requesterId`: those of firmware first, then the interrupt range.
 * @internal
 */
export function reservedRegionsOf(
  requesterId: number,
  firmware: readonly FirmwareRegion[],
): readonly VtdReservedRegion[] {
  const own = firmware.filter((region) => region.requesterIds.includes(requesterId));
  const direct = own.map(
    ({ base, bytes, relaxable }): VtdReservedRegion => ({
      start: dmaAddr(base),
      bytes,
      type: relaxable ? 'direct-relaxable' : 'direct',
      prot: IOMMU_READ | IOMMU_WRITE,
    }),
  );
  return [...direct, MSI_REGION];
}

/**
 * Maps the direct regions one to one into a DMA domain; pages mapped already are left alone. Returns 0 or the error of
 * {@link iommuMap}.
 * @public
 * @kernel iommu_create_device_direct_mappings
 */
export function iommuCreateDeviceDirectMappings(
  domain: PagingDomain,
  regions: readonly VtdReservedRegion[],
): number {
  if (domain.type === 'unmanaged') return 0;
  const page = domain.pgsizeBitmap & -domain.pgsizeBitmap;
  for (const region of regions) {
    if (region.type === 'msi') continue;
    const errno = mapMissing(domain, alignUp(region.start, page), region, page);
    if (errno !== 0) return errno;
  }
  return 0;
}

function mapMissing(domain: PagingDomain, start: DmaAddr, region: VtdReservedRegion, page: number): number {
  const end = alignUp(addOffset(region.start, region.bytes), page);
  let missing = 0;
  for (let address: number = start; address <= end; address += page) {
    if (address < end && iommuIovaToPhys(domain, dmaAddr(address)) === 0) {
      missing += page;
      continue;
    }
    if (missing === 0) continue;
    const first = address - missing;
    const errno = iommuMap(domain, dmaAddr(first), physAddr(first), missing, region.prot);
    if (errno !== 0) return errno;
    missing = 0;
  }
  return 0;
}
