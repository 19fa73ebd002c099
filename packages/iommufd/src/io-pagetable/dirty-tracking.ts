// Dirty tracking: which IOVAs devices have written, read from the page table of one domain.
// Source followed: iopt_set_dirty_tracking(), iopt_clear_dirty_data(), iopt_read_and_clear_dirty_data() in
// drivers/iommu/iommufd/io_pagetable.c.
// A gap between areas ends the walk without an error. What was made clean is flushed once, behind the walk.
// Simplified: the user's bitmap is one window.

import type { ModelTask } from '@sgfree/hw-model';
import { iommuIotlbSync } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { U64Range } from '../u64/u64.ts';
import { contiguousAreas } from './contiguous-areas.ts';
import type { IoPagetable } from './io-pagetable.ts';

/**
 * Starts (from clean pages) or stops recording writes: 0, -EOPNOTSUPP for a domain whose hardware cannot, the driver's errors.
 * @kernel iopt_set_dirty_tracking
 * @public
 */
export function* ioptSetDirtyTracking(
  iopt: IoPagetable,
  domain: IoptDomain,
  enable: boolean,
): ModelTask<number> {
  if (!domain.recordsDirty) return -Errno.EOPNOTSUPP;
  yield* iopt.iovaRwsem.readLock();
  if (enable) {
    for (const area of iopt.areas.ranges) if (area.pages !== null) domain.readDirty(area, false, ignore);
    flushClean(domain);
  }
  const errno = domain.setDirtyTracking(enable);
  iopt.iovaRwsem.readUnlock();
  return errno;
}

function ignore(): void {}

/** The unit could hold entries that it takes for dirty, and would set no bit again. */
function flushClean({ domain }: IoptDomain): void {
  iommuIotlbSync(domain, domain.ownGather);
}

/**
 * Tells `record` of the written parts of `range`, up to the first gap between areas, and makes the pages clean unless
 * `noClear`: 0, -EOPNOTSUPP for a domain whose hardware records nothing. A large page counts as a whole.
 * @kernel iopt_read_and_clear_dirty_data
 * @public
 */
export function* ioptReadAndClearDirtyData(
  iopt: IoPagetable,
  domain: IoptDomain,
  range: U64Range,
  noClear: boolean,
  record: (dirty: U64Range) => void,
): ModelTask<number> {
  if (!domain.recordsDirty) return -Errno.EOPNOTSUPP;
  yield* iopt.iovaRwsem.readLock();
  for (const part of contiguousAreas(iopt, range)) domain.readDirty(part, noClear, record);
  if (!noClear) flushClean(domain);
  iopt.iovaRwsem.readUnlock();
  return 0;
}
