// Taking the pages of an area out of page tables, and unpinning those that nobody else remembers.
// Source followed: iopt_area_unfill_domains(), iopt_area_unfill_domain(), iopt_area_unmap_domain() in
// drivers/iommu/iommufd/pages.c.
// Frames are read back from the page table, then unmapped, and only then unpinned: what a device can still reach stays
// pinned. A piece ends where frames are not neighbours, because neighbours may share a large page.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { type IoptArea, ioptAreaBytes, ioptAreaIndexToIova } from '../area/iopt-area.ts';
import { hideFromDomain, lockToFill, unlockFilled } from '../dmabuf/area-windows.ts';
import { ioptDmaBufUntrack } from '../dmabuf/iopt-dma-buf.ts';
import type { IoptDomain } from '../domain/iopt-domain.ts';
import { updatePinned } from './account-pins.ts';
import type { IoptPages } from './iopt-pages.ts';
import { pageSpanAt } from './page-span.ts';

const PIECE_PAGES = 8192;

/**
 * Takes an area out of every domain of its address space.
 * @internal
 */
export function* ioptAreaUnfillDomains(area: IoptArea, pages: IoptPages): ModelTask<void> {
  yield* lockToFill(pages);
  const storage = area.storageDomain;
  if (storage !== null) {
    for (const domain of area.iopt.domains) {
      if (domain !== storage) yield* ioptAreaUnmapDomain(area, pages, domain);
    }
    pages.filledAreas.delete(area);
    yield* ioptAreaUnfillDomain(area, pages, storage);
    area.storageDomain = null;
  }
  for (const domain of area.iopt.domains) ioptDmaBufUntrack(pages, area, domain);
  unlockFilled(pages);
}

/**
 * Unmaps an area from a domain whose frames another one remembers; a revoked buffer has nothing there.
 * @internal
 */
export function* ioptAreaUnmapDomain(area: IoptArea, pages: IoptPages, domain: IoptDomain): ModelTask<void> {
  if (pages.source.type === 'dmabuf') yield* hideFromDomain(area, pages, domain);
  else domain.unmap(area.first, ioptAreaBytes(area, area.firstIndex, area.lastIndex));
}

/**
 * Unmaps an area from the domain that remembers its frames, after it was taken out of the filled areas, and unpins the
 * pages that neither an access nor another area holds. With the pages' mutex held.
 * @internal
 */
export function* ioptAreaUnfillDomain(area: IoptArea, pages: IoptPages, domain: IoptDomain): ModelTask<void> {
  if (pages.source.type === 'dmabuf') {
    yield* ioptAreaUnmapDomain(area, pages, domain);
    return;
  }
  const frames = new Float64Array(Math.min(PIECE_PAGES, area.lastIndex - area.firstIndex + 1));
  let index = area.firstIndex;
  while (index <= area.lastIndex) index = unfillPiece(area, pages, domain, index, frames);
  updatePinned(pages);
}

/** Deals with pages from `start` on; the page to go on with. */
function unfillPiece(
  area: IoptArea,
  pages: IoptPages,
  domain: IoptDomain,
  start: number,
  frames: Float64Array,
): number {
  const read = readPiece(area, domain, start, frames);
  const end = start + read;
  domain.unmap(ioptAreaIndexToIova(area, start), ioptAreaBytes(area, start, end - 1));
  for (let index = start; index < end; ) {
    const span = pageSpanAt(pages, index, end - 1);
    for (; index <= span.last; index += 1) {
      if (span.holder === 'none') pages.unpin(index, frames[index - start] as number);
    }
  }
  return end;
}

/** Reads frames into `frames` and cuts where two are not neighbours, unless all fit or none is. */
function readPiece(area: IoptArea, domain: IoptDomain, start: number, frames: Float64Array): number {
  const count = Math.min(frames.length, area.lastIndex - start + 1);
  for (let at = 0; at < count; at += 1) {
    frames[at] = domain.frameAt(ioptAreaIndexToIova(area, start + at));
  }
  if (start + count > area.lastIndex) return count;
  let cut = count;
  while (cut > 1 && (frames[cut - 1] as number) === (frames[cut - 2] as number) + 1) cut -= 1;
  return cut > 1 ? cut - 1 : count;
}
