// dma_map_single: maps memory that the caller names by its CPU address.
// Source followed: include/linux/dma-mapping.h (dma_map_single_attrs, dma_unmap_single_attrs), kernel/dma/mapping.c
// (dma_unmap_page_attrs). The vmalloc area is
// refused: what lies there need not be contiguous.
// Simplified: a CPU address is a physical address.

import { type DmaAddr, frameOf, offsetWithin, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import { debugDmaMapSingle } from './debug/debug-mapping.ts';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import type { DmaDataDirection } from './dma-direction.ts';
import { dmaMapPageAttrs, dmaUnmapPhys } from './dma-mapping.ts';
import { DMA_MAPPING_ERROR } from './dma-mask.ts';
import { isWithinAny } from './kernel-regions.ts';

/**
 * Maps `size` bytes at CPU address `ptr`; -1 on failure. An address of the vmalloc area fails (rule `dma-map-vmalloc`).
 * @public
 * @kernel dma_map_single_attrs
 */
export function dmaMapSingleAttrs(
  dev: Device,
  ptr: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 {
  if (isWithinAny(dev.platform.kernelRegions.vmalloc ?? [], ptr)) {
    warnViolation(dev.log, 'dma-map-vmalloc', { device: dev.name, cpuAddress: ptr, size });
    return DMA_MAPPING_ERROR;
  }
  if (dev.platform.debug !== null) debugDmaMapSingle(dev, ptr, size);
  return dmaMapPageAttrs(dev, frameOf(ptr), offsetWithin(ptr, PAGE_SIZE), size, dir, attrs);
}

/**
 * Unmaps what {@link dmaMapSingleAttrs} mapped; does nothing for MMIO, which it does not map.
 * @public
 * @kernel dma_unmap_single_attrs
 */
export function dmaUnmapSingleAttrs(
  dev: Device,
  addr: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (attrs.mmio !== true) dmaUnmapPhys(dev, addr, size, dir, attrs);
}
