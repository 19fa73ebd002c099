// Taking the pages behind IOVAs, so that they can be mapped a second time: what COPY does.
// Source followed: iopt_get_pages() in drivers/iommu/iommufd/io_pagetable.c; iommufd_ioas_copy() in ioas.c.
// A part of an area may be taken, and several areas in a row; each becomes an area of its own that shares the pages.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { ioptAreaStartByte } from '../area/iopt-area.ts';
import { type U64, u64IsZero, u64RangeOf, u64Span } from '../u64/u64.ts';
import { contiguousAreas, coversRange } from './contiguous-areas.ts';
import type { IoPagetable } from './io-pagetable.ts';
import type { IoptPagesElement } from './map-pages.ts';

/**
 * The pages behind `length` bytes at `iova`, with a reference each. -EINVAL for no length, -EOVERFLOW past 2^64, -ENOENT
 * unless areas cover all of it.
 * @kernel iopt_get_pages
 * @public
 */
export function* ioptGetPages(
  iopt: IoPagetable,
  iova: U64,
  length: U64,
): ModelTask<Outcome<IoptPagesElement[]>> {
  if (u64IsZero(length)) return failure(Errno.EINVAL);
  const range = u64RangeOf(iova, length);
  if (range === null) return failure(Errno.EOVERFLOW);
  yield* iopt.iovaRwsem.readLock();
  const parts = contiguousAreas(iopt, range);
  const elements: IoptPagesElement[] = [];
  if (coversRange(parts, range)) {
    for (const part of parts) {
      const { area, pages } = part;
      pages.refs += 1;
      const startByte = ioptAreaStartByte(area, part.first);
      elements.push({ pages, startByte, length: u64Span(part) });
    }
  }
  iopt.iovaRwsem.readUnlock();
  return elements.length === 0 ? failure(Errno.ENOENT) : success(elements);
}
