// HostBridge: what the DMA layer must know of the bridge above a PCI device: where peers' BARs answer, and how memory is reached.
// Source followed: include/linux/pci.h (struct pci_host_bridge with its windows and dma_ranges).
// Simplified: windows are given by whoever builds the machine, not read from ACPI.

import type { PhysAddr } from '@sgfree/hw-model';

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
