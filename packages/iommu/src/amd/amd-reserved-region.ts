// AMD reserved regions: what the AMD driver tells the IOMMU core to keep free or to map one to one for a device.
// Source followed: drivers/iommu/amd/iommu.c amd_iommu_get_resv_regions(); IVMD blocks of the IVRS table.
// Simplified: regions of firmware are given by whoever builds the machine, not read from ACPI.

import { dmaAddr, type PhysAddr } from '@sgfree/hw-model';
import type { ReservedRegion } from '../domain/reserved-region.ts';

/**
 * Memory that firmware has promised to devices (IVMD).
 * @public
 */
export interface AmdUnityRegion {
  readonly base: PhysAddr;
  readonly bytes: number;
  readonly firstDeviceId: number;
  readonly lastDeviceId: number;
  /** IOMMU_READ and IOMMU_WRITE bits. */
  readonly prot: number;
  /** An exclusion range: kept free instead of mapped. */
  readonly exclusion?: boolean;
}

/**
 * What the AMD driver reserves for interrupt messages on every device: 0xfee00000 to 0xfeefffff.
 * @public
 */
export const AMD_MSI_REGION: ReservedRegion = {
  start: dmaAddr(0xfee00000),
  bytes: 0x100000,
  type: 'msi',
  prot: 0,
};

/**
 * Addresses that HyperTransport keeps for itself: 0xfd00000000 to 0xffffffffff.
 * @public
 */
export const AMD_HT_REGION: ReservedRegion = {
  start: dmaAddr(0xfd00000000),
  bytes: 0x300000000,
  type: 'reserved',
  prot: 0,
};

/**
 * The reserved regions of `deviceId`: those of firmware first, then interrupts, then HyperTransport unless it is ignored.
 * @internal
 */
export function amdReservedRegionsOf(
  deviceId: number,
  unity: readonly AmdUnityRegion[],
  ignoreHt: boolean,
): readonly ReservedRegion[] {
  const own = unity.filter((region) => deviceId >= region.firstDeviceId && deviceId <= region.lastDeviceId);
  const regions = own.map(({ base, bytes, prot, exclusion }): ReservedRegion => {
    return { start: dmaAddr(base), bytes, type: exclusion === true ? 'reserved' : 'direct', prot };
  });
  return ignoreHt ? [...regions, AMD_MSI_REGION] : [...regions, AMD_MSI_REGION, AMD_HT_REGION];
}
