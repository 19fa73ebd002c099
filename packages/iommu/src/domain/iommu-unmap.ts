// Unmapping on a domain: the IOMMU core's calls, with their trace event and the flush that follows.
// Source followed: drivers/iommu/iommu.c, iommu_unmap(), iommu_unmap_fast(), iommu_iotlb_sync(), iommu_iova_to_phys().
// Table pages taken out are given back only after the driver has flushed.
// Simplified: paging domains only; for identity a device has no domain object here.

import { type DmaAddr, frameOf, offsetWithin, PAGE_SIZE, type PhysAddr, physOfFrame } from '@sgfree/hw-model';
import type { IotlbGather } from '../page-table/iotlb-gather.ts';
import { postUnmapEvent } from './domain-event.ts';
import type { PagingDomain } from './paging-domain.ts';

/**
 * Unmaps without flushing, for an address of any width; the range and the freed tables go to `gather`. Returns bytes.
 * @public
 */
export function unmapFrames(
  domain: PagingDomain,
  iovaFrame: number,
  iovaOffset: number,
  size: number,
  gather: IotlbGather,
): number {
  const unmapped = domain.table.unmapRange(iovaFrame, iovaOffset, size, gather);
  domain.unmapCalls += 1;
  if (domain.log.enabled) postUnmapEvent(domain, iovaFrame, iovaOffset, size, unmapped);
  return unmapped;
}

/**
 * Unmaps and flushes, for an address of any width. Returns bytes.
 * @public
 */
export function unmapFramesAndSync(
  domain: PagingDomain,
  iovaFrame: number,
  iovaOffset: number,
  size: number,
): number {
  const gather = domain.ownGather;
  const unmapped = unmapFrames(domain, iovaFrame, iovaOffset, size, gather);
  iommuIotlbSync(domain, gather);
  return unmapped;
}

/**
 * Unmaps `size` bytes at `iova` and flushes. Returns the bytes unmapped, which may be less or more than asked.
 * @public
 * @kernel iommu_unmap
 */
export const iommuUnmap = (domain: PagingDomain, iova: DmaAddr, size: number): number =>
  unmapFramesAndSync(domain, frameOf(iova), offsetWithin(iova, PAGE_SIZE), size);

/**
 * Unmaps `size` bytes at `iova`; the flush is the caller's, from `gather`. Returns the bytes unmapped.
 * @public
 * @kernel iommu_unmap_fast
 */
export const iommuUnmapFast = (
  domain: PagingDomain,
  iova: DmaAddr,
  size: number,
  gather: IotlbGather,
): number => unmapFrames(domain, frameOf(iova), offsetWithin(iova, PAGE_SIZE), size, gather);

/**
 * Flushes what `gather` holds, if its range is not empty, then frees its tables and empties it.
 * @public
 * @kernel iommu_iotlb_sync
 */
export function iommuIotlbSync(domain: PagingDomain, gather: IotlbGather): void {
  if (gather.pending) {
    domain.syncCalls += 1;
    domain.ops.iotlbSync(domain, gather);
  }
  domain.table.releaseTables(gather);
  gather.queued = false;
}

/**
 * Flushes the whole domain.
 * @public
 * @kernel iommu_flush_iotlb_all
 */
export function iommuFlushIotlbAll(domain: PagingDomain): void {
  domain.ops.flushIotlbAll(domain);
}

/**
 * The physical address behind `iova`, or 0 when nothing is mapped there (as if physical page 0 were).
 * @public
 * @kernel iommu_iova_to_phys
 */
export function iommuIovaToPhys(domain: PagingDomain, iova: DmaAddr): PhysAddr {
  const frame = domain.table.physOf(frameOf(iova));
  return frame < 0 ? physOfFrame(0) : physOfFrame(frame, offsetWithin(iova, PAGE_SIZE));
}

/**
 * Frees a domain that no device is attached to, with all its table pages, those that wait for a flush included.
 * @public
 * @kernel iommu_domain_free
 */
export function iommuDomainFree(domain: PagingDomain): void {
  domain.putCookie?.();
  domain.table.destroy();
  domain.ops.domainFree?.(domain);
}
