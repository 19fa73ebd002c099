// Taking memory away from behind addresses again: unlink a part, or destroy the whole.
// Source followed: drivers/iommu/dma-iommu.c (dma_iova_unlink, dma_iova_destroy, __iommu_dma_iova_unlink,
// iommu_dma_iova_unlink_range_slow). The IOTLB is flushed at once, in lazy mode too (quirk twostep-always-strict).
// Destroying with too small a `mappedLen` leaves entries behind (quirk destroy-short-mapped-leak).
// Simplified: none.

import {
  cookieOf,
  type Device,
  type DmaAttrs,
  type DmaDataDirection,
  debugDmaIovaDestroy,
  debugDmaIovaUnlink,
  needsCacheSync,
  swiotlbTblUnmapSingle,
} from '@sgfree/dma-core';
import { addOffset, alignUp, type DmaAddr, offsetWithin } from '@sgfree/hw-model';
import { iommuIotlbGatherInit, iommuIotlbSync, iommuIovaToPhys, iommuUnmapFast } from '@sgfree/iommu';
import { warnViolation } from '@sgfree/mm';
import { freeAddresses } from './dma-iova-alloc.ts';
import type { DmaIovaState } from './dma-iova-state.ts';

/**
 * Takes away what is linked in `size` bytes from `offset` and flushes the IOTLB. A page table that held less posts rule
 * `dma-iova-unlink-short`.
 * @public
 * @kernel dma_iova_unlink
 */
export function dmaIovaUnlink(
  dev: Device,
  state: DmaIovaState,
  offset: number,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (dev.platform.debug !== null) debugDmaIovaUnlink(dev, state, offset, size, dir, attrs);
  __iommuDmaIovaUnlink(dev, state, offset, size, dir, attrs);
}

/**
 * {@link dmaIovaUnlink} unseen by the checker.
 * @internal
 * @kernel __iommu_dma_iova_unlink
 */
export function __iommuDmaIovaUnlink(
  dev: Device,
  state: DmaIovaState,
  offset: number,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const { domain, granule, gather } = cookieOf(dev);
  const address = addOffset(state.addr, offset);
  const pad = offsetWithin(address, granule);
  if (state.usesSwiotlb || needsCacheSync(dev, attrs)) releasePieces(dev, address, size, dir, attrs);
  const start = addOffset(address, -pad);
  const length = alignUp(size + pad, granule);
  iommuIotlbGatherInit(gather);
  const unmapped = iommuUnmapFast(domain, start, length, gather);
  if (unmapped !== length) {
    warnViolation(dev.log, 'dma-iova-unlink-short', {
      device: dev.name,
      address: start,
      size: length,
      unmapped,
    });
  }
  iommuIotlbSync(domain, gather);
}

/** Granule by granule, because each may be a bounce slot of its own; stops at the first that nothing is behind. */
function releasePieces(
  dev: Device,
  address: DmaAddr,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const { domain, granule } = cookieOf(dev);
  const end = addOffset(address, size);
  const sync = needsCacheSync(dev, attrs);
  let left = size;
  for (let at = address; left > 0; ) {
    const phys = iommuIovaToPhys(domain, at);
    if (phys === 0) {
      warnViolation(dev.log, 'dma-iova-unlink-hole', { device: dev.name, address: at, end });
      return;
    }
    const bytes = Math.min(left, granule - offsetWithin(at, granule));
    if (sync) dev.platform.cache?.syncForCpu(phys, bytes, dir);
    swiotlbTblUnmapSingle(dev, phys, bytes, dir, attrs);
    left -= bytes;
    at = addOffset(at, bytes);
  }
  if (sync) dev.platform.cache?.flush();
}

/**
 * Unlinks the first `mappedLen` bytes, all that was linked, and gives the addresses back. `state` stays as it is.
 * @public
 * @kernel dma_iova_destroy
 */
export function dmaIovaDestroy(
  dev: Device,
  state: DmaIovaState,
  mappedLen: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (dev.platform.debug !== null) debugDmaIovaDestroy(dev, state, mappedLen, dir, attrs);
  if (mappedLen > 0) __iommuDmaIovaUnlink(dev, state, 0, mappedLen, dir, attrs);
  freeAddresses(dev, state);
}
