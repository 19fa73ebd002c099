// Coherent memory: what CPU and device use at the same time, such as rings and descriptor pools.
// Source followed: kernel/dma/mapping.c (dma_alloc_attrs, dma_free_attrs), kernel/dma/direct.c (dma_direct_alloc),
// drivers/iommu/dma-iommu.c (iommu_dma_alloc, iommu_dma_alloc_remap, __iommu_dma_alloc_pages).
// The event of an allocation comes after it, failed ones included; that of freeing comes before.
// Simplified: the CPU's view is the physical address (no vmap), so the pages of a block always lie side by side; no
// atomic pools, no contiguous-memory area, one memory zone.

import { alignUp, type DmaAddr, frameOf, PAGE_SIZE, type PhysAddr, physOfFrame } from '@sgfree/hw-model';
import { iommuMap } from '@sgfree/iommu';
import { MAX_PAGE_ORDER } from '@sgfree/mm';
import { debugDmaAllocCoherent, debugDmaFreeCoherent } from './debug/debug-coherent.ts';
import type { Device } from './device.ts';
import { type DmaAttrs, NO_ATTRS } from './dma-attrs.ts';
import { DMA_MAPPING_ERROR, minNotZero } from './dma-mask.ts';
import { physToDma } from './dma-range-map.ts';
import { traceDmaAlloc, traceDmaFree } from './dma-trace.ts';
import { cookieOf, iommuDmaAllocIova, iommuDmaFreeIova } from './iommu-dma-iova.ts';
import { dmaInfoToProt, iommuDmaMapRange, iommuDmaUnmapRange } from './iommu-dma-map.ts';

/**
 * Memory that CPU and device see alike; physically contiguous, zeroed when it was allocated.
 * @public
 */
export interface DmaCoherentBlock {
  readonly phys: PhysAddr;
  readonly dma: DmaAddr;
  /** Bytes asked for. */
  readonly bytes: number;
}

/**
 * Allocates `size` bytes of coherent memory; null when there are no pages, no address or no table pages left.
 * @public
 * @kernel dma_alloc_attrs
 */
export function dmaAllocAttrs(dev: Device, size: number, attrs: DmaAttrs): DmaCoherentBlock | null {
  const block = attrs.ccShared === true ? null : allocate(dev, size, attrs);
  if (block !== null && !dev.dmaCoherent) {
    dev.platform.cache?.prepareCoherent?.(block.phys, alignUp(size, PAGE_SIZE));
  }
  if (dev.log.enabled) traceDmaAlloc(dev, block?.phys ?? 0, block?.dma ?? 0, size, attrs);
  if (dev.platform.debug !== null && block !== null) {
    debugDmaAllocCoherent(dev, size, block.dma, block.phys, attrs);
  }
  return block;
}

/**
 * Frees what {@link dmaAllocAttrs} allocated, with the same attributes.
 * @public
 * @kernel dma_free_attrs
 */
export function dmaFreeAttrs(dev: Device, block: DmaCoherentBlock, attrs: DmaAttrs): void {
  if (dev.log.enabled) traceDmaFree(dev, block.phys, block.dma, block.bytes, attrs);
  if (dev.platform.debug !== null) debugDmaFreeCoherent(dev, block.bytes, block.phys, block.dma, attrs);
  if (dev.dmaIommu) iommuDmaUnmapRange(dev, block.dma, block.bytes);
  const count = isPageArray(dev, attrs) ? pagesOf(block.bytes) : 2 ** orderOf(block.bytes);
  dev.platform.pages?.freeRun(frameOf(block.phys), count);
}

/**
 * Allocates `size` bytes of coherent memory without attributes.
 * @public
 * @kernel dma_alloc_coherent
 */
export const dmaAllocCoherent = (dev: Device, size: number): DmaCoherentBlock | null =>
  dmaAllocAttrs(dev, size, NO_ATTRS);

/**
 * Frees what {@link dmaAllocCoherent} allocated.
 * @public
 * @kernel dma_free_coherent
 */
export const dmaFreeCoherent = (dev: Device, block: DmaCoherentBlock): void =>
  dmaFreeAttrs(dev, block, NO_ATTRS);

/** Behind an IOMMU pages are collected one by one unless they have to be contiguous. */
const isPageArray = (dev: Device, attrs: DmaAttrs): boolean => dev.dmaIommu && attrs.forceContiguous !== true;

function allocate(dev: Device, size: number, attrs: DmaAttrs): DmaCoherentBlock | null {
  if (isPageArray(dev, attrs)) return iommuDmaAllocRemap(dev, size, attrs);
  return allocContiguous(dev, size, attrs);
}

function allocContiguous(dev: Device, size: number, attrs: DmaAttrs): DmaCoherentBlock | null {
  const { pages } = dev.platform;
  const order = orderOf(size);
  const frame = pages === null || order > MAX_PAGE_ORDER ? -1 : pages.allocPages(order);
  if (pages === null || frame < 0) return null;
  const phys = physOfFrame(frame);
  const bytes = alignUp(size, PAGE_SIZE);
  const prot = dmaInfoToProt('bidirectional', dev.dmaCoherent, attrs);
  const dma = dev.dmaIommu
    ? iommuDmaMapRange(dev, phys, bytes, prot, dev.coherentDmaMask)
    : coherentAddress(dev, phys, bytes);
  if (dma !== DMA_MAPPING_ERROR) return { phys, dma, bytes: size };
  pages.freePages(frame, order);
  return null;
}

/** dma_coherent_ok: the device must reach all of it with its coherent mask. */
function coherentAddress(dev: Device, phys: PhysAddr, bytes: number): DmaAddr | -1 {
  const address = physToDma(dev, phys);
  const limit = minNotZero(dev.coherentDmaMask, dev.busDmaLimit);
  const fits = address !== DMA_MAPPING_ERROR && lastByte(address, bytes) <= limit;
  return fits ? address : DMA_MAPPING_ERROR;
}

const lastByte = (start: number, bytes: number): number => start + bytes - 1;

/**
 * Pages and an address for them, mapped as one list.
 * @kernel iommu_dma_alloc_remap
 */
function iommuDmaAllocRemap(dev: Device, size: number, attrs: DmaAttrs): DmaCoherentBlock | null {
  const { pages } = dev.platform;
  const { domain, granule } = cookieOf(dev);
  const count = pagesOf(size);
  const align = attrs.allocSinglePages === true ? 1 : largestBlockPages(domain.pgsizeBitmap, count);
  const frame = pages === null ? -1 : pages.allocRun(count, align);
  if (pages === null || frame < 0) return null;
  const length = alignUp(count * PAGE_SIZE, granule);
  const dma = iommuDmaAllocIova(dev, length, dev.coherentDmaMask);
  if (dma !== 0) {
    const phys = physOfFrame(frame);
    const prot = dmaInfoToProt('bidirectional', dev.dmaCoherent, attrs);
    if (iommuMap(domain, dma, phys, length, prot) === 0) return { phys, dma, bytes: size };
    iommuDmaFreeIova(dev, dma, length);
  }
  pages.freeRun(frame, count);
  return null;
}

/** Pages of the largest block that the page table could map as one leaf, at most `count` and at most 4 MiB. */
function largestBlockPages(bitmap: number, count: number): number {
  let order = Math.min(MAX_PAGE_ORDER, Math.floor(Math.log2(count)));
  while (order > 0 && Math.floor(bitmap / (PAGE_SIZE * 2 ** order)) % 2 === 0) order -= 1;
  return 2 ** order;
}

const pagesOf = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);
const orderOf = (bytes: number): number => Math.ceil(Math.log2(pagesOf(bytes)));
