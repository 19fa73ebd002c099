// Mapping on a domain: the IOMMU core's calls, with their trace event and the clean-up after a failure.
// Source followed: drivers/iommu/iommu.c, iommu_map_nosync(), iommu_sync_map() and iommu_map().
// A failed map leaves nothing: what was mapped before the failure is unmapped again, which is traced and flushed.
// Simplified: no gfp flags; paging domains only.

import { type DmaAddr, frameOf, offsetWithin, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';
import { Errno, warnViolation } from '@sgfree/mm';
import { postMapEvent } from './domain-event.ts';
import { unmapFramesAndSync } from './iommu-unmap.ts';
import type { PagingDomain } from './paging-domain.ts';

/**
 * Maps without telling the hardware, for addresses of any width; 0 or a negative errno.
 * @public
 */
export function mapFramesNosync(
  domain: PagingDomain,
  iovaFrame: number,
  iovaOffset: number,
  physFrame: number,
  physOffset: number,
  size: number,
  prot: number,
): number {
  const { table } = domain;
  if (table.pgsizeBitmap === 0) {
    warnViolation(domain.log, 'iommu-map-no-page-size', { size });
    return -Errno.EINVAL;
  }
  const errno = table.mapRange(iovaFrame, iovaOffset, physFrame, physOffset, size, prot);
  const mapped = table.mappedBytes;
  domain.mapCalls += 1;
  if (domain.log.enabled) {
    postMapEvent(domain, iovaFrame, iovaOffset, physFrame * PAGE_SIZE + physOffset, mapped);
  }
  if (errno !== 0) unmapFramesAndSync(domain, iovaFrame, iovaOffset, mapped);
  return errno;
}

/**
 * Maps `size` bytes at `iova` to `paddr` without telling the hardware; {@link iommuSyncMap} has to follow. `prot` holds the
 * IOMMU_ bits. Returns 0, -EINVAL, -ENXIO, -ERANGE, -EOVERFLOW, -EADDRINUSE or -ENOMEM.
 * @public
 * @kernel iommu_map_nosync
 */
export const iommuMapNosync = (
  domain: PagingDomain,
  iova: DmaAddr,
  paddr: PhysAddr,
  size: number,
  prot: number,
): number =>
  mapFramesNosync(
    domain,
    frameOf(iova),
    offsetWithin(iova, PAGE_SIZE),
    frameOf(paddr),
    offsetWithin(paddr, PAGE_SIZE),
    size,
    prot,
  );

/**
 * Maps and tells the hardware, for addresses of any width; 0 or a negative errno, and then nothing is mapped.
 * @public
 */
export function mapFramesAndSync(
  domain: PagingDomain,
  iovaFrame: number,
  iovaOffset: number,
  physFrame: number,
  physOffset: number,
  size: number,
  prot: number,
): number {
  const errno = mapFramesNosync(domain, iovaFrame, iovaOffset, physFrame, physOffset, size, prot);
  if (errno !== 0) return errno;
  const unsynced = syncMapFrames(domain, iovaFrame, iovaOffset, size);
  if (unsynced !== 0) unmapFramesAndSync(domain, iovaFrame, iovaOffset, size);
  return unsynced;
}

function syncMapFrames(domain: PagingDomain, iovaFrame: number, iovaOffset: number, size: number): number {
  const { iotlbSyncMap } = domain.ops;
  return iotlbSyncMap === null
    ? 0
    : iotlbSyncMap(domain, iovaFrame, Math.ceil((iovaOffset + size) / PAGE_SIZE));
}

/**
 * Tells the hardware about new mappings where it has to know; 0 or a negative errno.
 * @public
 * @kernel iommu_sync_map
 */
export const iommuSyncMap = (domain: PagingDomain, iova: DmaAddr, size: number): number =>
  syncMapFrames(domain, frameOf(iova), offsetWithin(iova, PAGE_SIZE), size);

/**
 * Maps `size` bytes at `iova` to `paddr` and tells the hardware. After a failure nothing is mapped. Errors as
 * {@link iommuMapNosync}, and those of {@link iommuSyncMap}.
 * @public
 * @kernel iommu_map
 */
export const iommuMap = (
  domain: PagingDomain,
  iova: DmaAddr,
  paddr: PhysAddr,
  size: number,
  prot: number,
): number =>
  mapFramesAndSync(
    domain,
    frameOf(iova),
    offsetWithin(iova, PAGE_SIZE),
    frameOf(paddr),
    offsetWithin(paddr, PAGE_SIZE),
    size,
    prot,
  );
