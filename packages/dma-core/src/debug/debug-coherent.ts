// The checker's hooks around coherent memory and around pages that a driver allocates to sync itself.
// Source followed: kernel/dma/debug.c (debug_dma_alloc_coherent, debug_dma_free_coherent, debug_dma_alloc_pages,
// debug_dma_free_pages). Coherent memory counts as mapped for both directions.
// A block without kernel mapping has no CPU address on the direct map, and is not tracked there.
// Simplified: the CPU address is the physical one.

import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import { type DmaAttrs, NO_ATTRS } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import { addDmaEntry } from './add-entry.ts';
import { checkUnmap } from './check-unmap.ts';
import { type DmaDebugRef, singleRef } from './debug-entry.ts';
import { checkerOf } from './dma-debug.ts';

const hasCpuAddress = (dev: Device, attrs: DmaAttrs): boolean =>
  dev.dmaIommu || attrs.noKernelMapping !== true;

/**
 * `size` bytes were allocated, at `address` for the device and at `phys` for the CPU.
 * @internal
 * @kernel debug_dma_alloc_coherent
 */
export function debugDmaAllocCoherent(
  dev: Device,
  size: number,
  address: DmaAddr,
  phys: PhysAddr,
  attrs: DmaAttrs,
): void {
  if (hasCpuAddress(dev, attrs))
    allocated(singleRef(dev, address, size, 'coherent', 'bidirectional', phys, attrs));
}

/**
 * The block is about to be freed.
 * @internal
 * @kernel debug_dma_free_coherent
 */
export function debugDmaFreeCoherent(
  dev: Device,
  size: number,
  phys: PhysAddr,
  address: DmaAddr,
  attrs: DmaAttrs,
): void {
  if (hasCpuAddress(dev, attrs))
    freed(singleRef(dev, address, size, 'coherent', 'bidirectional', phys, attrs));
}

/**
 * Pages at `phys` were allocated for non-coherent use.
 * @internal
 * @kernel debug_dma_alloc_pages
 */
export const debugDmaAllocPages = (
  dev: Device,
  phys: PhysAddr,
  size: number,
  direction: DmaDataDirection,
  address: DmaAddr,
): void => allocated(singleRef(dev, address, size, 'noncoherent', direction, phys, NO_ATTRS));

/**
 * The pages are about to be freed.
 * @internal
 * @kernel debug_dma_free_pages
 */
export const debugDmaFreePages = (
  dev: Device,
  phys: PhysAddr,
  size: number,
  direction: DmaDataDirection,
  address: DmaAddr,
): void => freed(singleRef(dev, address, size, 'noncoherent', direction, phys, NO_ATTRS));

function allocated(ref: DmaDebugRef): void {
  const debug = checkerOf(ref.dev);
  const entry = debug?.newEntry(ref) ?? null;
  if (debug !== null && entry !== null) addDmaEntry(debug, entry);
}

function freed(ref: DmaDebugRef): void {
  const debug = checkerOf(ref.dev);
  if (debug !== null) checkUnmap(debug, ref);
}
