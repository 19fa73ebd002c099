// Domains of an address space: each shows every area; adding one reserves what it cannot address and fills it.
// Source followed: iopt_table_add_domain(), iopt_table_remove_domain(), iopt_fill_domain(), iopt_unfill_domain(),
// iopt_calculate_iova_alignment(), iopt_check_iova_alignment() in drivers/iommu/iommufd/io_pagetable.c.
// Simplified: none.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, warnViolation } from '@sgfree/mm';
import type { IoptArea } from '../area/iopt-area.ts';
import { lockToFill, unlockFilled } from '../dmabuf/area-windows.ts';
import { ioptDmaBufTrack, ioptDmaBufUntrack } from '../dmabuf/iopt-dma-buf.ts';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import { ioptAreaFillDomain } from '../pages/fill-domains.ts';
import { ioptAreaUnfillDomain, ioptAreaUnmapDomain } from '../pages/unfill-domains.ts';
import { U64_MAX, U64_ZERO, u64Compare, u64IsZero, u64Next, u64Previous, u64Within } from '../u64/u64.ts';
import type { IoPagetable } from './io-pagetable.ts';
import { ioptReserveIova } from './reserve-iova.ts';

/** 0, or -EADDRINUSE when an area is not aligned to `alignment`. */
function checkAlignment(iopt: IoPagetable, alignment: number): number {
  const fits = iopt.areas.ranges.every(
    (area) =>
      u64Within(area.first, alignment) === 0 &&
      u64Within(area.length, alignment) === 0 &&
      area.pageOffset % alignment === 0,
  );
  return fits ? 0 : -Errno.EADDRINUSE;
}

/**
 * Computes the alignment from domains, accesses and large pages; 0, or -EADDRINUSE when it would rise above what an area
 * keeps to; then it stays. Both locks are write-held.
 * @internal
 */
export function ioptCalculateIovaAlignment(iopt: IoPagetable): number {
  let alignment = iopt.disableLargePages ? PAGE_SIZE : 1;
  for (const { smallestPage } of iopt.domains) alignment = Math.max(alignment, smallestPage);
  for (const { iovaAlignment } of iopt.accesses) alignment = Math.max(alignment, iovaAlignment);
  if (alignment > iopt.iovaAlignment) {
    const errno = checkAlignment(iopt, alignment);
    if (errno !== 0) return errno;
  }
  iopt.iovaAlignment = alignment;
  return 0;
}

/**
 * Adds a domain and shows every area in it; 0 or, with nothing changed: -EEXIST (a violation) when it is there already,
 * -EINVAL for pages larger than 4 KiB only, -EADDRINUSE for an area that its page size or its aperture does not take, or
 * an allowed range outside the aperture; errors of filling it.
 * @kernel iopt_table_add_domain
 * @public
 */
export function* ioptTableAddDomain(iopt: IoPagetable, domain: IoptDomain): ModelTask<number> {
  yield* iopt.domainsRwsem.writeLock();
  yield* iopt.iovaRwsem.writeLock();
  const errno = yield* addLocked(iopt, domain);
  iopt.iovaRwsem.writeUnlock();
  iopt.domainsRwsem.writeUnlock();
  return errno;
}

function* addLocked(iopt: IoPagetable, domain: IoptDomain): ModelTask<number> {
  if (iopt.domains.includes(domain)) {
    warnViolation(iopt.platform.log, 'iommufd-domain-twice', {});
    return -Errno.EEXIST;
  }
  const alignment = Math.max(domain.smallestPage, iopt.iovaAlignment);
  if (alignment > PAGE_SIZE) return -Errno.EINVAL;
  let errno = alignment === iopt.iovaAlignment ? 0 : checkAlignment(iopt, alignment);
  if (errno !== 0) return errno;
  errno = reserveOutside(iopt, domain);
  if (errno === 0) errno = yield* fillDomain(iopt, domain);
  if (errno !== 0) {
    iopt.reserved.removeOwner(domain);
    return errno;
  }
  iopt.iovaAlignment = alignment;
  iopt.domains.push(domain);
  return 0;
}

function reserveOutside(iopt: IoPagetable, domain: IoptDomain): number {
  const { first, last } = domain.aperture;
  if (!u64IsZero(first)) {
    const errno = ioptReserveIova(iopt, { first: U64_ZERO, last: u64Previous(first) }, domain);
    if (errno !== 0) return errno;
  }
  if (u64Compare(last, U64_MAX) === 0) return 0;
  return ioptReserveIova(iopt, { first: u64Next(last), last: U64_MAX }, domain);
}

/** Shows every area in a domain that is not one of the address space yet. */
function* fillDomain(iopt: IoPagetable, domain: IoptDomain): ModelTask<number> {
  const filled: IoptArea[] = [];
  for (const area of iopt.areas.ranges) {
    const { pages } = area;
    if (pages === null) continue;
    yield* lockToFill(pages);
    ioptDmaBufTrack(pages, area, domain);
    const errno = yield* ioptAreaFillDomain(area, pages, domain);
    if (errno === 0 && area.storageDomain === null) {
      area.storageDomain = domain;
      pages.filledAreas.add(area);
    }
    if (errno !== 0) ioptDmaBufUntrack(pages, area, domain);
    unlockFilled(pages);
    if (errno !== 0) {
      for (const before of filled) yield* takeOut(iopt, before, domain);
      return errno;
    }
    filled.push(area);
  }
  return 0;
}

/** Takes an area out of a domain that is not, or no longer, one of the address space. */
function* takeOut(iopt: IoPagetable, area: IoptArea, domain: IoptDomain): ModelTask<void> {
  const { pages } = area;
  if (pages === null) return;
  yield* lockToFill(pages);
  const [storage] = iopt.domains;
  if (storage === undefined) {
    pages.filledAreas.delete(area);
    area.storageDomain = null;
    yield* ioptAreaUnfillDomain(area, pages, domain);
  } else {
    if (area.storageDomain === domain) area.storageDomain = storage;
    yield* ioptAreaUnmapDomain(area, pages, domain);
  }
  ioptDmaBufUntrack(pages, area, domain);
  unlockFilled(pages);
}

/**
 * Takes a domain away: its entries go, another domain remembers the frames from now on, or the pages are unpinned.
 * @kernel iopt_table_remove_domain
 * @public
 */
export function* ioptTableRemoveDomain(iopt: IoPagetable, domain: IoptDomain): ModelTask<void> {
  yield* iopt.domainsRwsem.writeLock();
  yield* iopt.iovaRwsem.writeLock();
  const at = iopt.domains.indexOf(domain);
  if (at < 0) warnViolation(iopt.platform.log, 'iommufd-domain-unknown', {});
  else yield* removeLocked(iopt, domain, at);
  iopt.iovaRwsem.writeUnlock();
  iopt.domainsRwsem.writeUnlock();
}

/** The last domain takes the place that becomes free. */
function* removeLocked(iopt: IoPagetable, domain: IoptDomain, at: number): ModelTask<void> {
  const moved = iopt.domains.pop();
  if (moved !== undefined && moved !== domain) iopt.domains[at] = moved;
  for (const area of iopt.areas.ranges) yield* takeOut(iopt, area, domain);
  iopt.reserved.removeOwner(domain);
  ioptCalculateIovaAlignment(iopt);
}
