// The DMA API's streaming calls: checks that hold for every device, then the direct map or the IOMMU, then the event.
// Source followed: kernel/dma/mapping.c (dma_map_phys, dma_unmap_phys, dma_map_page_attrs, dma_map_resource),
// include/trace/events/dma.h. The events of mapping and unmapping come after the operation, of failures too.
// Simplified: no dma_ops other than the two backends; vmalloc addresses are not modelled.

import { type DmaAddr, type PhysAddr, physOfFrame } from '@sgfree/hw-model';
import { DmaApiViolation, warnViolation } from '@sgfree/mm';
import { debugDmaMapPage, debugDmaMapPhys, debugDmaUnmapPhys } from './debug/debug-mapping.ts';
import type { Device } from './device.ts';
import type { DmaAttrs } from './dma-attrs.ts';
import { dmaDirectMapPhys, dmaDirectUnmapPhys } from './dma-direct.ts';
import { checkDirection, type DmaDataDirection } from './dma-direction.ts';
import { DMA_MAPPING_ERROR, isMappingError } from './dma-mask.ts';
import { traceDmaMapPhys, traceDmaUnmapPhys } from './dma-trace.ts';
import { iommuDmaMapPhys, iommuDmaUnmapPhys } from './iommu-dma-phys.ts';

/**
 * Maps `size` bytes (at least 1) at `phys` for the device; the DMA address, or -1 on failure.
 * Throws {@link @sgfree/mm#DmaApiViolation} `dma-bad-direction`, `dma-zero-size`; a device without a mask posts `dma-no-mask`.
 * @public
 * @kernel dma_map_phys
 */
export function dmaMapPhys(
  dev: Device,
  phys: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 {
  checkDirection(dir);
  if (size < 1) throw new DmaApiViolation('dma-zero-size', `mapping of ${size} bytes for ${dev.name}`);
  if (dev.dmaMask === null) {
    warnViolation(dev.log, 'dma-no-mask', { device: dev.name });
    return DMA_MAPPING_ERROR;
  }
  if (!dev.dmaCoherent && attrs.requireCoherent === true) return DMA_MAPPING_ERROR;
  if (dev.dmaIommu && attrs.ccShared === true) return DMA_MAPPING_ERROR;
  const address = dev.dmaIommu
    ? iommuDmaMapPhys(dev, phys, size, dir, attrs)
    : dmaDirectMapPhys(dev, phys, size, dir, attrs, true);
  if (dev.log.enabled) traceDmaMapPhys(dev, phys, address, size, dir, attrs);
  if (dev.platform.debug !== null) debugDmaMapPhys(dev, phys, size, dir, address, attrs);
  return address;
}

/**
 * Unmaps what {@link dmaMapPhys} mapped, with the same size, direction and attributes. What a failed mapping returned does
 * nothing; behind an IOMMU it posts rule `dma-unmap-of-unmapped`.
 * @public
 * @kernel dma_unmap_phys
 */
export function dmaUnmapPhys(
  dev: Device,
  addr: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  checkDirection(dir);
  if (isMappingError(addr)) {
    if (dev.dmaIommu)
      warnViolation(dev.log, 'dma-unmap-of-unmapped', { device: dev.name, address: addr, size });
  } else if (dev.dmaIommu) iommuDmaUnmapPhys(dev, addr, size, dir, attrs);
  else dmaDirectUnmapPhys(dev, addr, size, dir, attrs, true);
  if (dev.log.enabled) traceDmaUnmapPhys(dev, addr, size, dir, attrs);
  if (dev.platform.debug !== null) debugDmaUnmapPhys(dev, addr, size, dir, attrs);
}

/**
 * Maps `size` bytes from `offset` of the page in frame `page`; -1 on failure, for MMIO always. With a checker present
 * (a kernel built with it) zone-device pages fail too.
 * @public
 * @kernel dma_map_page_attrs
 */
export function dmaMapPageAttrs(
  dev: Device,
  page: number,
  offset: number,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 {
  if (attrs.mmio === true) return DMA_MAPPING_ERROR;
  if (dev.platform.debug !== null && !debugDmaMapPage(dev, page)) return DMA_MAPPING_ERROR;
  dev.platform.frames.touched += 1;
  return dmaMapPhys(dev, physOfFrame(page, offset), size, dir, attrs);
}

/**
 * Maps MMIO: as {@link dmaMapPhys} with the MMIO attribute.
 * @public
 * @kernel dma_map_resource
 */
export const dmaMapResource = (
  dev: Device,
  physAddr: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): DmaAddr | -1 => dmaMapPhys(dev, physAddr, size, dir, { ...attrs, mmio: true });

/**
 * Unmaps what {@link dmaMapResource} mapped.
 * @public
 * @kernel dma_unmap_resource
 */
export const dmaUnmapResource = (
  dev: Device,
  addr: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void => dmaUnmapPhys(dev, addr, size, dir, { ...attrs, mmio: true });
