// ReservedRegion: DMA addresses that must never be handed out to a device, because something else answers there.
// Source followed: include/linux/iommu.h, struct iommu_resv_region and enum iommu_resv_type.
// Simplified: regions are given by whoever builds the machine, not read from ACPI.

import type { DmaAddr } from '@sgfree/hw-model';

/**
 * Kind of a reserved region (`enum iommu_resv_type`). `direct` regions are mapped one to one, `direct-relaxable` ones too as
 * long as the kernel owns the device.
 * @public
 */
export type ReservedRegionType = 'direct' | 'direct-relaxable' | 'reserved' | 'msi' | 'sw-msi';

/**
 * A range of DMA addresses that a device must not use for mappings.
 * @public
 */
export interface ReservedRegion {
  readonly start: DmaAddr;
  readonly bytes: number;
  readonly type: ReservedRegionType;
  /** IOMMU_ bits of a one to one mapping; readable and writable when absent. */
  readonly prot?: number;
}
