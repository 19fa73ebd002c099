// Reserved regions: DMA addresses that must never be handed out, because something else answers there.
// Source followed: include/linux/iommu.h (struct iommu_resv_region), include/linux/pci.h (struct pci_host_bridge
// windows and dma_ranges); VT-d reports the MSI range 0xfee00000 to 0xfeefffff for every device.
// Simplified: regions are given by whoever builds the machine, not read from ACPI.

import { type DmaAddr, dmaAddr, type PhysAddr } from '@sgfree/hw-model';

/**
 * Kind of a reserved region (`enum iommu_resv_type`).
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
}

/**
 * A resource of a host bridge; `end` is inclusive, `offset` is CPU address minus bus address.
 * @public
 */
export interface BridgeWindow {
  readonly start: PhysAddr;
  readonly end: PhysAddr;
  readonly offset?: number;
  /** False for I/O port and bus number windows, which reserve nothing. */
  readonly isMemory?: boolean;
}

/**
 * The host bridge above a PCI device.
 * @public
 */
export interface HostBridge {
  readonly windows: readonly BridgeWindow[];
  /** Windows through which devices reach memory, sorted by start; empty: all of it. */
  readonly dmaRanges?: readonly BridgeWindow[];
}

/**
 * What VT-d reserves for interrupts on every device: 0xfee00000 to 0xfeefffff.
 * @public
 */
export const VTD_MSI_REGION: ReservedRegion = {
  start: dmaAddr(0xfee00000),
  bytes: 0x100000,
  type: 'msi',
};
