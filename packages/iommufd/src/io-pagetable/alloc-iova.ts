// Choosing an IOVA: the lowest place that keeps the alignment of the source, or a check of the caller's wish.
// Source followed: iopt_alloc_iova(), iopt_check_iova() in drivers/iommu/iommufd/io_pagetable.c.
// Automatic IOVAs honour the allowed ranges; a wish is only compared with reserved and used ones.
// Simplified: none.

import { PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import {
  type U64,
  U64_PAGES,
  type U64Range,
  u64,
  u64AlignUp,
  u64At,
  u64Compare,
  u64IsZero,
  u64Max,
  u64Min,
  u64Minus,
  u64Number,
  u64Previous,
  u64RangeOf,
  u64Within,
} from '../u64/u64.ts';
import type { IoPagetable } from './io-pagetable.ts';
import { holesIn } from './range-set.ts';
import { coalesced } from './reserved-ranges.ts';

/** HPAGE_SIZE of a kernel with transparent huge pages. */
const MAX_ALIGNMENT = 2 ** 21;
/** ULONG_MAX / 2 */
const TOO_LONG = u64At(U64_PAGES / 2 - 1, PAGE_SIZE - 1);
/** The first and the last page of the space are never handed out. */
const SEARCHED: U64Range = { first: u64(PAGE_SIZE), last: u64At(U64_PAGES - 2, PAGE_SIZE - 1) };

const powerOfTwoFrom = (length: number): number => {
  let power = 1;
  while (power < length) power *= 2;
  return power;
};

/** Alignment that fits both source and length, at most 2 MiB. */
function alignmentFor(addr: U64, length: U64): number {
  const rounded =
    u64Compare(length, u64(MAX_ALIGNMENT)) >= 0 ? MAX_ALIGNMENT : powerOfTwoFrom(u64Number(length));
  if (u64IsZero(addr)) return rounded;
  const low = u64Within(addr, MAX_ALIGNMENT);
  return low === 0 ? rounded : Math.min(rounded, low & -low);
}

/** Where `length` bytes fit into a range: aligned, with the sub-page offset of the source; null when they do not. */
function placeIn(range: U64Range, length: U64, alignment: number, pageOffset: number): U64 | null {
  const aligned = u64AlignUp(range.first, alignment);
  if (aligned === null) return null;
  const start = u64At(aligned.page, aligned.byte | pageOffset);
  if (u64Compare(start, range.last) >= 0) return null;
  return u64Compare(u64Minus(range.last, start), u64Previous(length)) < 0 ? null : start;
}

/** The windows in which automatic IOVAs may lie. */
function windowsOf(iopt: IoPagetable): U64Range[] {
  const { ranges } = iopt.allowed;
  if (ranges.length === 0) return [SEARCHED];
  return coalesced(ranges)
    .map(({ first, last }) => ({ first: u64Max(first, SEARCHED.first), last: u64Min(last, SEARCHED.last) }))
    .filter(({ first, last }) => u64Compare(first, last) <= 0);
}

/**
 * The lowest free IOVA for `length` bytes whose source starts at `addr` (an address or a file offset). -EOVERFLOW for a
 * length of no byte or of half the space, -EINVAL when the source is less aligned than the address space, -ENOSPC. The
 * IOVA lock is write-held.
 * @internal
 */
export function ioptAllocIova(iopt: IoPagetable, addr: U64, length: U64): Outcome<U64> {
  if (u64IsZero(length) || u64Compare(length, TOO_LONG) >= 0) return failure(Errno.EOVERFLOW);
  const alignment = alignmentFor(addr, length);
  if (alignment < iopt.iovaAlignment) return failure(Errno.EINVAL);
  const used = [iopt.reserved.union, iopt.areas.ranges];
  for (const window of windowsOf(iopt)) {
    const from = placeIn(window, length, alignment, addr.byte);
    if (from === null) continue;
    for (const hole of holesIn({ first: from, last: window.last }, used)) {
      const start = placeIn(hole, length, alignment, addr.byte);
      if (start !== null) return success(start);
    }
  }
  return failure(Errno.ENOSPC);
}

/**
 * 0 when `length` bytes (not zero) may be mapped at `iova`; in this order -EINVAL (alignment), -EOVERFLOW, -EINVAL
 * (reserved), -EEXIST. The IOVA lock is held.
 * @internal
 */
export function ioptCheckIova(iopt: IoPagetable, iova: U64, length: U64): number {
  if (u64Within(iova, iopt.iovaAlignment) !== 0) return -Errno.EINVAL;
  const range = u64RangeOf(iova, length);
  if (range === null) return -Errno.EOVERFLOW;
  if (iopt.reserved.intersects(range)) return -Errno.EINVAL;
  return iopt.areas.firstIn(range) === undefined ? 0 : -Errno.EEXIST;
}
