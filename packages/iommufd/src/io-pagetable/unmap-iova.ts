// Unmapping IOVAs: whole areas only, in ascending order; what was unmapped before an error stays unmapped.
// Source followed: iopt_unmap_iova(), iopt_unmap_all(), iopt_unmap_iova_range() in drivers/iommu/iommufd/io_pagetable.c.
// In-kernel users of an area are asked to let go, again and again; one that never does is a violation.
// Simplified: sources are let go once the locks are free, as the kernel's deferred fput() does with the files behind them.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import { notifyUnmap } from '../access/iopt-access.ts';
import type { IoptArea } from '../area/iopt-area.ts';
import { type IoptPages, ioptPutPages } from '../pages/iopt-pages.ts';
import { ioptAreaUnfillDomains } from '../pages/unfill-domains.ts';
import {
  type U64,
  U64_ZERO,
  type U64Range,
  u64Compare,
  u64Hex,
  u64IsZero,
  u64Next,
  u64Plus,
  u64RangeOf,
} from '../u64/u64.ts';
import { type IoPagetable, WHOLE_SPACE } from './io-pagetable.ts';

const MOST_ROUNDS = 100;

/**
 * Bytes that a call has unmapped so far, also when it fails.
 * @public
 */
export interface UnmappedBytes {
  bytes: U64;
}

/** One walk over the range: where to go on, and how often users were asked in vain. */
interface Progress {
  readonly unmapped: UnmappedBytes;
  /** Null: past the end. */
  from: U64 | null;
  tries: number;
  /** Pages that lost an area and whose reference is still to be given back. */
  readonly released: IoptPages[];
}

const noBytes = (): UnmappedBytes => ({ bytes: U64_ZERO });

/**
 * Unmaps the areas within `length` bytes from `iova` on and gives their bytes, which `unmapped` has also when it fails: possibly fewer than asked, and none when
 * there was no area. -EINVAL for no length, -EOVERFLOW past 2^64, -EBUSY (an area that is being made, or that the kernel
 * keeps), -ENOENT (an area that is cut), -EDEADLK (a user does not let go).
 * @kernel iopt_unmap_iova
 * @public
 */
export function* ioptUnmapIova(
  iopt: IoPagetable,
  iova: U64,
  length: U64,
  unmapped: UnmappedBytes = noBytes(),
): ModelTask<Outcome<U64>> {
  if (u64IsZero(length)) return failure(Errno.EINVAL);
  const range = u64RangeOf(iova, length);
  return range === null ? failure(Errno.EOVERFLOW) : yield* unmapRange(iopt, range, unmapped);
}

/**
 * Unmaps everything and gives the bytes, which `unmapped` has also when it fails. Errors as {@link ioptUnmapIova}.
 * @kernel iopt_unmap_all
 * @public
 */
export function* ioptUnmapAll(
  iopt: IoPagetable,
  unmapped: UnmappedBytes = noBytes(),
): ModelTask<Outcome<U64>> {
  return yield* unmapRange(iopt, WHOLE_SPACE, unmapped);
}

function* unmapRange(iopt: IoPagetable, range: U64Range, unmapped: UnmappedBytes): ModelTask<Outcome<U64>> {
  const progress: Progress = { unmapped, from: range.first, tries: 0, released: [] };
  for (;;) {
    yield* iopt.domainsRwsem.readLock();
    yield* iopt.iovaRwsem.writeLock();
    const used = yield* unmapUntilUsed(iopt, range, progress);
    iopt.iovaRwsem.writeUnlock();
    iopt.domainsRwsem.readUnlock();
    for (const pages of progress.released.splice(0)) yield* ioptPutPages(pages);
    if (typeof used === 'number') {
      return used === 0 ? success(unmapped.bytes) : failure(-used as Errno);
    }
    yield* notifyUnmap(iopt, used.first, used.length);
    progress.tries += 1;
    if (progress.tries > MOST_ROUNDS) {
      warnViolation(iopt.platform.log, 'iommufd-unmap-ignored', { iova: u64Hex(used.first) });
      return failure(Errno.EDEADLK);
    }
  }
}

/** Unmaps up to the end (0), an error, or an area that has users. Both locks are held, also afterwards. */
function* unmapUntilUsed(
  iopt: IoPagetable,
  range: U64Range,
  progress: Progress,
): ModelTask<IoptArea | number> {
  while (progress.from !== null) {
    const within: U64Range = { first: progress.from, last: range.last };
    const area = iopt.areas.firstIn(within);
    if (area === undefined) return 0;
    if (area.pages === null || area.numLocks > 0) return -Errno.EBUSY;
    if (u64Compare(area.first, within.first) < 0 || u64Compare(area.last, range.last) > 0) {
      return -Errno.ENOENT;
    }
    if (u64Compare(area.first, within.first) !== 0) progress.tries = 0;
    if (area.numAccesses > 0) {
      progress.from = area.first;
      area.preventAccess = true;
      return area;
    }
    yield* removeArea(iopt, area, progress.released);
    progress.unmapped.bytes = u64Plus(progress.unmapped.bytes, area.length);
    progress.from = u64Compare(area.last, range.last) === 0 ? null : u64Next(area.last);
  }
  return 0;
}

/** The area keeps its IOVAs while the domains are emptied without the IOVA lock. */
function* removeArea(iopt: IoPagetable, area: IoptArea, released: IoptPages[]): ModelTask<void> {
  const { pages } = area;
  if (pages === null) return;
  area.pages = null;
  iopt.iovaRwsem.writeUnlock();
  yield* ioptAreaUnfillDomains(area, pages);
  yield* iopt.iovaRwsem.writeLock();
  iopt.areas.remove(area);
  released.push(pages);
}
