// Linking whole granules: what every piece of a two-step range comes down to.
// Source followed: drivers/iommu/dma-iommu.c (__dma_iova_link). The caches are seen to first; neither they nor the IOTLB
// are flushed here, so that many links share one flush.
// Simplified: none.

import {
  cookieOf,
  type Device,
  type DmaAttrs,
  type DmaDataDirection,
  dmaInfoToProt,
  needsCacheSync,
} from '@sgfree/dma-core';
import type { DmaAddr, PhysAddr } from '@sgfree/hw-model';
import { iommuMapNosync } from '@sgfree/iommu';

/**
 * Maps `size` bytes of whole granules; 0 or the page table's error.
 * @internal
 */
export function linkGranules(
  dev: Device,
  address: DmaAddr,
  phys: PhysAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  if (needsCacheSync(dev, attrs)) dev.platform.cache?.syncForDevice(phys, size, dir);
  return iommuMapNosync(
    cookieOf(dev).domain,
    address,
    phys,
    size,
    dmaInfoToProt(dir, dev.dmaCoherent, attrs),
  );
}
