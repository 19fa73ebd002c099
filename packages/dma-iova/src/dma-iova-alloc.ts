// First step of the two-step API: a range of DMA addresses without anything behind it, and its return.
// Source followed: drivers/iommu/dma-iommu.c (dma_iova_try_alloc, dma_iova_free).
// The physical address only gives the offset in the first granule. Freed addresses are free at once, in lazy mode too.
// Simplified: none.

import {
  cookieOf,
  type Device,
  debugDmaIovaAllocated,
  debugDmaIovaAllocating,
  debugDmaIovaFree,
  dmaGetMask,
  iommuDmaAllocIova,
  iommuDmaFreeIova,
  useDmaIommu,
} from '@sgfree/dma-core';
import { addOffset, alignUp, dmaAddr, offsetWithin, type PhysAddr } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { DmaIovaState } from './dma-iova-state.ts';

/** Sizes from here on would set the flag bit of the state. */
const FLAG_BIT: number = 2 ** 63;

/**
 * Takes addresses for `size` bytes whose first lies as far into its granule as `phys`. False, with `state` unused: the
 * device has no IOMMU, no address is left, or the size is 0 or 2^63 and more (rule `dma-iova-size`).
 * @public
 * @kernel dma_iova_try_alloc
 */
export function dmaIovaTryAlloc(dev: Device, state: DmaIovaState, phys: PhysAddr, size: number): boolean {
  if (dev.platform.debug !== null) debugDmaIovaAllocating(dev, state);
  state.addr = dmaAddr(0);
  state.size = 0;
  state.usesSwiotlb = false;
  if (!useDmaIommu(dev)) return false;
  if (!(size > 0 && size < FLAG_BIT)) {
    warnViolation(dev.log, 'dma-iova-size', { device: dev.name, size });
    return false;
  }
  const { granule } = cookieOf(dev);
  const offset = offsetWithin(phys, granule);
  const iova = iommuDmaAllocIova(dev, alignUp(size + offset, granule), dmaGetMask(dev));
  if (iova === 0) return false;
  state.addr = addOffset(iova, offset);
  state.size = size;
  if (dev.platform.debug !== null) debugDmaIovaAllocated(dev, state);
  return true;
}

/**
 * Gives the addresses of `state` back. Nothing may be linked in it any more; `state` itself stays as it is.
 * @public
 * @kernel dma_iova_free
 */
export function dmaIovaFree(dev: Device, state: DmaIovaState): void {
  if (dev.platform.debug !== null) debugDmaIovaFree(dev, state);
  freeAddresses(dev, state);
}

/**
 * {@link dmaIovaFree} unseen by the checker.
 * @internal
 */
export function freeAddresses(dev: Device, state: DmaIovaState): void {
  const { granule } = cookieOf(dev);
  const offset = offsetWithin(state.addr, granule);
  iommuDmaFreeIova(dev, addOffset(state.addr, -offset), alignUp(state.size + offset, granule));
}
