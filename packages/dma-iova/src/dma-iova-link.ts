// Second step of the two-step API: memory is put behind the addresses, piece by piece, and made visible in one go.
// Source followed: drivers/iommu/dma-iommu.c (dma_iova_link, dma_iova_sync). Only the first piece may start within a
// granule. Nothing checks that a piece lies in the state; the page table refuses what is taken or misaligned.
// Linking never flushes the IOTLB: new entries are seen after dma_iova_sync at the latest.
// Simplified: none.

import {
  cookieOf,
  type Device,
  type DmaAttrs,
  type DmaDataDirection,
  debugDmaIovaLinked,
  debugDmaIovaLinking,
  debugDmaIovaSynced,
  debugDmaIovaSyncing,
  iovaUnaligned,
  needsBounce,
} from '@sgfree/dma-core';
import { addOffset, alignUp, offsetWithin, type PhysAddr } from '@sgfree/hw-model';
import { iommuSyncMap } from '@sgfree/iommu';
import { Errno, warnViolation } from '@sgfree/mm';
import { iommuDmaIovaLinkSwiotlb } from './dma-iova-bounce.ts';
import type { DmaIovaState } from './dma-iova-state.ts';
import { linkGranules } from './granule-link.ts';

/**
 * Puts `size` bytes at `phys` behind `state.addr + offset`. 0, or (a plain number: this is a hot path)
 * -EIO for a start within a granule at an offset above 0 (rule `dma-iova-unaligned-link`), -EOPNOTSUPP when coherence is
 * demanded of a device or a state that cannot give it, -EPERM when a piece would have to bounce and must not,
 * -ENOMEM without a table page or bounce space, -EADDRINUSE where something is linked, -ENXIO and -ERANGE where the
 * page table cannot map.
 * @public
 * @kernel dma_iova_link
 */
export function dmaIovaLink(
  dev: Device,
  state: DmaIovaState,
  phys: PhysAddr,
  offset: number,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  if (dev.platform.debug === null) return linkPiece(dev, state, phys, offset, size, dir, attrs);
  debugDmaIovaLinking(dev, state, phys, offset, size, attrs);
  const errno = linkPiece(dev, state, phys, offset, size, dir, attrs);
  debugDmaIovaLinked(dev, state, phys, offset, size, dir, attrs, errno);
  return errno;
}

function linkPiece(
  dev: Device,
  state: DmaIovaState,
  phys: PhysAddr,
  offset: number,
  size: number,
  dir: DmaDataDirection,
  attrs: DmaAttrs,
): number {
  const { granule } = cookieOf(dev);
  const pad = offsetWithin(phys, granule);
  if (pad !== 0 && offset > 0) {
    warnViolation(dev.log, 'dma-iova-unaligned-link', { device: dev.name, phys, offset });
    return -Errno.EIO;
  }
  if (attrs.requireCoherent === true) {
    if (state.usesSwiotlb) {
      warnViolation(dev.log, 'dma-iova-bounced-coherent', { device: dev.name, phys, offset });
      return -Errno.EOPNOTSUPP;
    }
    if (!dev.dmaCoherent) return -Errno.EOPNOTSUPP;
  }
  if (needsBounce(dev, size, dir) && iovaUnaligned(granule, phys, size)) {
    if (attrs.mmio === true || attrs.requireCoherent === true) return -Errno.EPERM;
    return iommuDmaIovaLinkSwiotlb(dev, state, phys, offset, size, dir, attrs);
  }
  const address = addOffset(state.addr, offset - pad);
  return linkGranules(dev, address, addOffset(phys, -pad), alignUp(size + pad, granule), dir, attrs);
}

/**
 * Makes the links in `size` bytes from `offset` visible to the device. 0 or the driver's error.
 * @public
 * @kernel dma_iova_sync
 */
export function dmaIovaSync(dev: Device, state: DmaIovaState, offset: number, size: number): number {
  if (dev.platform.debug === null) return syncLinks(dev, state, offset, size);
  debugDmaIovaSyncing(dev, state, offset, size);
  const errno = syncLinks(dev, state, offset, size);
  debugDmaIovaSynced(dev, state, offset, size, errno);
  return errno;
}

function syncLinks(dev: Device, state: DmaIovaState, offset: number, size: number): number {
  const { domain, granule } = cookieOf(dev);
  const address = addOffset(state.addr, offset);
  const pad = offsetWithin(address, granule);
  if (!dev.dmaCoherent) dev.platform.cache?.flush();
  return iommuSyncMap(domain, addOffset(address, -pad), alignUp(size + pad, granule));
}
