// What drivers ask before they build requests: how much can be mapped at once, what is cheap, what can be merged, and
// whether unmapping and syncing do anything.
// Source followed: kernel/dma/mapping.c (dma_max_mapping_size, dma_opt_mapping_size, dma_get_merge_boundary,
// dma_need_unmap, __dma_need_sync), kernel/dma/direct.c, drivers/iommu/dma-iommu.c.
// Simplified: no dma_ops other than the two backends.

import type { DmaAddr } from '@sgfree/hw-model';
import { iovaRcacheRange } from '@sgfree/iommu';
import { isSwiotlbActive, isSwiotlbForceBounce, swiotlbMaxMappingSize } from './bounce-buffers.ts';
import type { Device } from './device.ts';
import { DMA_MAPPING_ERROR, SIZE_MAX } from './dma-mask.ts';
import { dmaToPhys } from './dma-range-map.ts';
import { dmaAddressingLimited } from './dma-reach.ts';
import { dmaDevNeedSync } from './dma-sync.ts';
import { cookieOf } from './iommu-dma-iova.ts';

/**
 * Bytes of the largest mapping: what can bounce where mappings may have to, else {@link SIZE_MAX}; 0 without a mask.
 * @public
 * @kernel dma_max_mapping_size
 */
export function dmaMaxMappingSize(dev: Device): number {
  if (dev.dmaMask === null) return 0;
  const mayBounce = dev.dmaIommu ? dev.untrusted : dmaDirectMayBounce(dev);
  return mayBounce ? swiotlbMaxMappingSize(dev) : SIZE_MAX;
}

function dmaDirectMayBounce(dev: Device): boolean {
  return isSwiotlbActive(dev) && (dmaAddressingLimited(dev) || isSwiotlbForceBounce(dev));
}

/**
 * Bytes up to which mappings are cheap: behind an IOMMU 128 KiB, because longer IOVA ranges are not cached.
 * @public
 * @kernel dma_opt_mapping_size
 */
export const dmaOptMappingSize = (dev: Device): number =>
  Math.min(dmaMaxMappingSize(dev), dev.dmaIommu ? iovaRcacheRange() : SIZE_MAX);

/**
 * The mask of address bits in which neighbours must agree with zero to be merged into one DMA range: the IOMMU granule
 * less one; 0 = nothing is merged.
 * @public
 * @kernel dma_get_merge_boundary
 */
export const dmaGetMergeBoundary = (dev: Device): number => (dev.dmaIommu ? cookieOf(dev).granule - 1 : 0);

/**
 * False when unmapping would do nothing, so that addresses need not be remembered; true in a kernel built with the checker.
 * @public
 * @kernel dma_need_unmap
 */
export const dmaNeedUnmap = (dev: Device): boolean =>
  dev.dmaIommu || !dev.dmaSkipSync || dev.platform.debug !== null;

/**
 * False when syncing the mapping at `address` would do nothing.
 * @public
 * @kernel dma_need_sync
 */
export function dmaNeedSync(dev: Device, address: DmaAddr): boolean {
  if (!dmaDevNeedSync(dev)) return false;
  if (dev.dmaIommu || !dev.dmaCoherent) return true;
  const phys = dmaToPhys(dev, address);
  return phys !== DMA_MAPPING_ERROR && (dev.platform.swiotlb?.pool?.contains(dev, phys) ?? false);
}
