// Reserving IOVAs for domains, devices and tests, and the ranges that automatic IOVAs are confined to.
// Source followed: iopt_reserve_iova(), iopt_remove_reserved_iova(), iopt_set_allow_iova() and
// iopt_table_enforce_dev_resv_regions() in drivers/iommu/iommufd/io_pagetable.c; iommufd_ioas_load_iovas() in ioas.c.
// Simplified: no software MSI window.

import { frameOf, type ModelTask, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import type { ReservedRegion } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { type U64Range, u64, u64At, u64Compare, u64RangeOf } from '../u64/u64.ts';
import type { IoPagetable } from './io-pagetable.ts';
import { RangeSet } from './range-set.ts';

/**
 * Reserves a range for `owner` (null = nobody in particular); 0 or -EADDRINUSE when an area or an allowed range lies in it.
 * The IOVA lock is write-held.
 * @kernel iopt_reserve_iova
 * @public
 */
export function ioptReserveIova(iopt: IoPagetable, range: U64Range, owner: object | null): number {
  if (iopt.areas.firstIn(range) !== undefined) return -Errno.EADDRINUSE;
  if (iopt.allowed.firstIn(range) !== undefined) return -Errno.EADDRINUSE;
  iopt.reserved.add(range, owner);
  return 0;
}

/**
 * Gives up what `owner` reserved.
 * @kernel iopt_remove_reserved_iova
 * @public
 */
export function* ioptRemoveReservedIova(iopt: IoPagetable, owner: object): ModelTask<void> {
  yield* iopt.iovaRwsem.writeLock();
  iopt.reserved.removeOwner(owner);
  iopt.iovaRwsem.writeUnlock();
}

/**
 * Confines automatic IOVAs to `ranges`; none at all frees them. -EINVAL for a range that does not end above its start and
 * for ranges that overlap, -EADDRINUSE for one that meets a reserved range; then the old ranges stay in force.
 * @kernel iopt_set_allow_iova
 * @public
 */
export function* ioptSetAllowIova(iopt: IoPagetable, ranges: readonly U64Range[]): ModelTask<number> {
  const allowed = new RangeSet<U64Range>();
  for (const range of ranges) {
    const refused = insertAllowed(allowed, range);
    if (refused !== 0) return refused;
  }
  return yield* replaceAllowed(iopt, allowed);
}

/** Adds a range; -EINVAL when it does not end above its start, one byte being too few, or meets another. @internal */
export function insertAllowed(allowed: RangeSet<U64Range>, range: U64Range): number {
  if (u64Compare(range.first, range.last) >= 0) return -Errno.EINVAL;
  if (allowed.firstIn(range) !== undefined) return -Errno.EINVAL;
  allowed.insert(range);
  return 0;
}

/** Puts other allowed ranges in force; -EADDRINUSE when one meets a reserved range. @internal */
export function* replaceAllowed(iopt: IoPagetable, allowed: RangeSet<U64Range>): ModelTask<number> {
  yield* iopt.iovaRwsem.writeLock();
  const taken = allowed.ranges.some((range) => iopt.reserved.intersects(range));
  if (!taken) iopt.allowed.replaceBy(allowed);
  iopt.iovaRwsem.writeUnlock();
  return taken ? -Errno.EADDRINUSE : 0;
}

/**
 * Reserves what a device must not use, those regions excepted that are only mapped one to one until a driver takes over.
 * 0, or -EADDRINUSE with nothing reserved.
 * @kernel iopt_table_enforce_dev_resv_regions
 * @public
 */
export function* ioptTableEnforceDevResvRegions(
  iopt: IoPagetable,
  owner: object,
  regions: readonly ReservedRegion[],
): ModelTask<number> {
  yield* iopt.iovaRwsem.writeLock();
  let errno = 0;
  for (const region of regions) {
    if (region.type === 'direct-relaxable') continue;
    errno = ioptReserveIova(iopt, rangeOfRegion(region), owner);
    if (errno !== 0) break;
  }
  if (errno !== 0) iopt.reserved.removeOwner(owner);
  iopt.iovaRwsem.writeUnlock();
  return errno;
}

function rangeOfRegion({ start, bytes }: ReservedRegion): U64Range {
  const first = u64At(frameOf(start), offsetWithin(start, PAGE_SIZE));
  return u64RangeOf(first, u64(bytes)) ?? { first, last: first };
}
