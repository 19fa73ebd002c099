// CacheMaintenance: what a non-coherent device needs before and after its DMA.
// Source followed: include/linux/dma-map-ops.h (arch_sync_dma_for_device, arch_sync_dma_for_cpu, arch_sync_dma_flush).
// On x86-64 every device is coherent and none of this is called.
// Simplified: the machine's caches are not modelled; whoever wants to count or to break coherence implements this.

import type { PhysAddr } from '@sgfree/hw-model';
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
}

/**
 * True when the CPU's caches must be looked after around a mapping with these attributes.
 * @internal
 */
export const needsCacheSync = (dev: Device, attrs: DmaAttrs): boolean =>
  !dev.dmaCoherent && attrs.skipCpuSync !== true && attrs.mmio !== true;
