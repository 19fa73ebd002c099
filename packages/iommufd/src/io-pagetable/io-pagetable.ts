// IoPagetable: one I/O address space (IOAS): which IOVAs are mapped, reserved and allowed, and the domains that show it.
// Source followed: struct io_pagetable in drivers/iommu/iommufd/io_pagetable.h and iommufd_private.h, iopt_init_table(),
// iopt_destroy_table().
// Lock order: domains_rwsem, iova_rwsem, the mutex of each pages object.
// Simplified: none.

import type { ModelTask, TaskRwLock } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import type { IoptAccess } from '../access/iopt-access.ts';
import type { IoptArea } from '../area/iopt-area.ts';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import type { IommufdPlatform } from '../iommufd-platform.ts';
import { U64_MAX, U64_ZERO, type U64Range } from '../u64/u64.ts';
import { holesIn, RangeSet } from './range-set.ts';
import { ReservedRanges } from './reserved-ranges.ts';

/**
 * The whole IOVA space.
 * @internal
 */
export const WHOLE_SPACE: U64Range = { first: U64_ZERO, last: U64_MAX };

/**
 * An I/O address space.
 * @kernel io_pagetable
 * @public
 */
export class IoPagetable {
  readonly platform: IommufdPlatform;
  /** Held while the set of domains must not change; write-held to change it. */
  readonly domainsRwsem: TaskRwLock;
  /** Write-held while areas, reserved or allowed ranges change. */
  readonly iovaRwsem: TaskRwLock;
  readonly areas: RangeSet<IoptArea> = new RangeSet();
  /** Where automatic IOVAs may lie; empty = everywhere. */
  readonly allowed: RangeSet<U64Range> = new RangeSet();
  readonly reserved: ReservedRanges = new ReservedRanges();
  /** The first one stores page frames. */
  readonly domains: IoptDomain[] = [];
  readonly accesses: IoptAccess[] = [];
  /** Bytes, a power of two up to 4096: IOVAs, lengths and offsets in pages are multiples. */
  iovaAlignment = 1;
  /** Each page is mapped by itself. */
  disableLargePages = false;

  constructor(platform: IommufdPlatform) {
    this.platform = platform;
    this.domainsRwsem = platform.rwLock('domains_rwsem');
    this.iovaRwsem = platform.rwLock('iova_rwsem');
  }
}

/**
 * What an address space offers.
 * @public
 */
export interface IoptIovaRanges {
  /** Ascending; areas and allowed ranges do not matter. */
  readonly ranges: readonly U64Range[];
  /** Bytes. */
  readonly alignment: number;
}

/**
 * The IOVAs that are not reserved, and the alignment in force.
 * @public
 */
export function* ioptIovaRanges(iopt: IoPagetable): ModelTask<IoptIovaRanges> {
  yield* iopt.iovaRwsem.readLock();
  const ranges = [...holesIn(WHOLE_SPACE, [iopt.reserved.union])];
  const alignment = iopt.iovaAlignment;
  iopt.iovaRwsem.readUnlock();
  return { ranges, alignment };
}

/**
 * The end of an address space that nobody uses; what is left in it is a violation.
 * @kernel iopt_destroy_table
 * @public
 */
export function ioptDestroyTable(iopt: IoPagetable): void {
  const left = {
    areas: iopt.areas.ranges.length,
    domains: iopt.domains.length,
    reserved: iopt.reserved.count,
  };
  const unclean = left.areas + left.domains + iopt.accesses.length;
  if (unclean > 0) warnViolation(iopt.platform.log, 'iommufd-destroyed-in-use', left);
}
