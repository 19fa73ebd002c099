// VT-d reserved regions: what a unit's driver tells the IOMMU core to keep free or to map one to one for a device.
// Source followed: drivers/iommu/intel/iommu.c intel_iommu_get_resv_regions().
// Simplified: regions of firmware (RMRR) are given by whoever builds the machine, not read from ACPI.

import { dmaAddr, type PhysAddr } from '@sgfree/hw-model';
import { IOMMU_MMIO, IOMMU_NOEXEC, IOMMU_READ, IOMMU_WRITE } from '../domain/iommu-prot.ts';
import type { ReservedRegion } from '../domain/reserved-region.ts';

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

/**
 * What VT-d reserves for interrupt messages on every device: 0xfee00000 to 0xfeefffff.
 * @public
 */
export const VTD_MSI_REGION: ReservedRegion = {
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
): readonly ReservedRegion[] {
  const own = firmware.filter((region) => region.requesterIds.includes(requesterId));
  const direct = own.map(
    ({ base, bytes, relaxable }): ReservedRegion => ({
      start: dmaAddr(base),
      bytes,
      type: relaxable ? 'direct-relaxable' : 'direct',
      prot: IOMMU_READ | IOMMU_WRITE,
    }),
  );
  return [...direct, VTD_MSI_REGION];
}
