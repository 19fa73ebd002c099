// CacheMaintenance: what a non-coherent device needs before and after its DMA.
// Source followed: include/linux/dma-map-ops.h (arch_sync_dma_for_device, arch_sync_dma_for_cpu, arch_sync_dma_flush).
// On x86-64 every device is coherent and none of this is called.
// Simplified: a machine without this has caches that hold nothing; CpuCacheMaintenance stands before real lines.

import type { CpuView, PhysAddr } from '@sgfree/hw-model';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';

/**
 * Cache maintenance of one machine; sizes in bytes.
 * @public
 */
export interface CacheMaintenance {
  syncForDevice(phys: PhysAddr, size: number, dir: DmaDataDirection): void;
  syncForCpu(phys: PhysAddr, size: number, dir: DmaDataDirection): void;
  /** Waits for what the two calls above started. */
  flush(): void;
  /** Makes fresh pages for coherent memory: zero in memory, and nothing of them in the caches. */
  prepareCoherent?(phys: PhysAddr, size: number): void;
  /** Memory through the caches: what the CPU's own copies go by. Memory itself when absent. */
  readonly cpuView?: CpuView;
}

/**
 * True when the CPU's caches must be looked after around a mapping with these attributes.
 * @internal
 */
export const needsCacheSync = (dev: Device, attrs: DmaAttrs): boolean =>
  !dev.dmaCoherent && attrs.skipCpuSync !== true && attrs.mmio !== true;
