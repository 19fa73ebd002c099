// Reach: the masks a driver sets, and what the DMA layer answers about them.
// Source followed: kernel/dma/mapping.c (dma_set_mask, dma_set_coherent_mask, dma_supported, dma_get_required_mask,
// dma_addressing_limited), kernel/dma/direct.c (dma_direct_supported, dma_direct_get_required_mask).
// Behind an IOMMU every mask is fine; a direct map wants at least the DMA zone.
// Simplified: no dma_ops, so a device is either direct or behind an IOMMU.

import { physAddr } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { type Device, dmaGetMask } from './device.ts';
import { DMA_MAPPING_ERROR, dmaBitMask, minNotZero } from './dma-mask.ts';
import { dmaDirectAllRamMapped, physToDma } from './dma-range-map.ts';

/**
 * Sets the streaming mask: 0, or -EIO when the device has none or could not reach the DMA zone with it.
 * @public
 * @kernel dma_set_mask
 */
export function dmaSetMask(dev: Device, mask: number): number {
  if (dev.dmaMask === null || !dmaSupported(dev, mask)) return -Errno.EIO;
  dev.dmaMask = mask;
  // dma_setup_need_sync: both backends leave coherent devices alone until one of their mappings bounces.
  dev.dmaSkipSync = dev.dmaCoherent;
  return 0;
}

/**
 * Sets the mask of coherent memory: 0 or -EIO.
 * @public
 * @kernel dma_set_coherent_mask
 */
export function dmaSetCoherentMask(dev: Device, mask: number): number {
  if (!dmaSupported(dev, mask)) return -Errno.EIO;
  dev.coherentDmaMask = mask;
  return 0;
}

/**
 * Sets both masks: 0, or -EIO with neither set.
 * @public
 * @kernel dma_set_mask_and_coherent
 */
export function dmaSetMaskAndCoherent(dev: Device, mask: number): number {
  const errno = dmaSetMask(dev, mask);
  return errno === 0 ? dmaSetCoherentMask(dev, mask) : errno;
}

/**
 * True when the device could work with `mask`.
 * @internal
 * @kernel dma_supported
 */
export const dmaSupported = (dev: Device, mask: number): boolean =>
  dev.dmaIommu || dmaDirectSupported(dev, mask);

/**
 * True when a directly mapped device reaches with `mask` all RAM, or at least the DMA zone.
 * @internal
 * @kernel dma_direct_supported
 */
export function dmaDirectSupported(dev: Device, mask: number): boolean {
  if (mask >= dmaBitMask(32)) return true;
  const { lastRamByte, zoneDmaLimit } = dev.platform;
  const needed = physToDma(dev, physAddr(Math.max(0, Math.min(lastRamByte, zoneDmaLimit))));
  return needed !== DMA_MAPPING_ERROR && mask >= needed;
}

/**
 * The mask with which the device reaches all memory without help.
 * @public
 * @kernel dma_get_required_mask
 */
export function dmaGetRequiredMask(dev: Device): number {
  if (dev.dmaIommu) return dmaBitMask(32);
  const highest = physToDma(dev, physAddr(Math.max(0, dev.platform.lastRamByte)));
  return highest === DMA_MAPPING_ERROR ? dmaBitMask(64) : dmaBitMask(bitLength(highest));
}

const bitLength = (value: number): number => (value === 0 ? 0 : Math.floor(Math.log2(value)) + 1);

/**
 * True when some memory is out of the device's reach.
 * @public
 * @kernel dma_addressing_limited
 */
export function dmaAddressingLimited(dev: Device): boolean {
  if (minNotZero(dmaGetMask(dev), dev.busDmaLimit) < dmaGetRequiredMask(dev)) return true;
  return !dev.dmaIommu && !dmaDirectAllRamMapped(dev);
}
