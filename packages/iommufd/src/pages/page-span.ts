// PageSpan: who remembers the frames of neighbouring pages: an access, a domain, or nobody.
// Source followed: interval_tree_double_span_iter over access_itree and domains_itree in drivers/iommu/iommufd/pages.c.
// Simplified: the lists are searched one by one.

import type { IoptArea } from '../area/iopt-area.ts';
import type { IoptPages } from './iopt-pages.ts';

/** Neighbouring pages with one holder. `area` shows them in its storage domain when the holder is a domain. */
interface PageSpan {
  readonly holder: 'access' | 'domain' | 'none';
  readonly area: IoptArea | null;
  /** Inclusive. */
  readonly last: number;
}

/**
 * The span that starts at page `index` and ends at `last` or before.
 * @internal
 */
export function pageSpanAt(pages: IoptPages, index: number, last: number): PageSpan {
  let end = last;
  for (const access of pages.accesses) {
    if (index >= access.first && index <= access.last) {
      return { holder: 'access', area: null, last: Math.min(last, access.last) };
    }
    if (access.first > index) end = Math.min(end, access.first - 1);
  }
  let holder: IoptArea | null = null;
  for (const area of pages.filledAreas) {
    if (index >= area.firstIndex && index <= area.lastIndex) holder ??= area;
    else if (area.firstIndex > index && holder === null) end = Math.min(end, area.firstIndex - 1);
  }
  if (holder === null) return { holder: 'none', area: null, last: end };
  return { holder: 'domain', area: holder, last: Math.min(end, holder.lastIndex) };
}
