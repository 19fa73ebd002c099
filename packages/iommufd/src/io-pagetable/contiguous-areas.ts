// Walking areas that lie one behind the other without a gap, as copies and accesses do.
// Source followed: iopt_for_each_contig_area(), iopt_area_contig_init(), iopt_area_contig_next() in
// drivers/iommu/iommufd/io_pagetable.c.
// Simplified: a list instead of an iterator.

import type { IoptArea } from '../area/iopt-area.ts';
import type { IoptPages } from '../pages/iopt-pages.ts';
import { type U64Range, u64Compare, u64Min, u64Next } from '../u64/u64.ts';
import type { IoPagetable } from './io-pagetable.ts';

/**
 * What of a range an area covers.
 * @internal
 */
export interface AreaPart extends U64Range {
  readonly area: IoptArea;
  /** The pages of the area. */
  readonly pages: IoptPages;
}

/**
 * The parts of `range` up to the first gap, or area without pages. The IOVA lock is held.
 * @internal
 */
export function contiguousAreas(iopt: IoPagetable, range: U64Range): AreaPart[] {
  const parts: AreaPart[] = [];
  let first = range.first;
  for (;;) {
    const area = iopt.areas.firstIn({ first, last: first });
    if (area === undefined || area.pages === null) return parts;
    const last = u64Min(area.last, range.last);
    parts.push({ area, pages: area.pages, first, last });
    if (u64Compare(last, range.last) === 0) return parts;
    first = u64Next(last);
  }
}

/**
 * True when the parts reach the end of the range.
 * @internal
 */
export function coversRange(parts: readonly AreaPart[], range: U64Range): boolean {
  const end = parts.at(-1);
  return end !== undefined && u64Compare(end.last, range.last) === 0;
}
