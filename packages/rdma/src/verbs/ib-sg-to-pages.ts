// ibSgToPages: cuts a list of DMA ranges into pages of one size and says how much of the list fits that shape.
// Source followed: drivers/infiniband/core/verbs.c (ib_sg_to_pages).
// Ranges that continue each other byte by byte share the page they meet in; a gap inside a page ends the list there.
// When a page is refused, the page before it is reported as where to go on: it was accepted and is not counted.
// Simplified: ranges come from any iterable; an iterable that ends early ends the list. Where the first page alone is
// accepted and starts below the first byte, the kernel's length wraps below zero (u64); here it is negative.

import { addOffset, alignDown, byteDistance, type DmaAddr, offsetWithin } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import type { IbMr } from './ib-mr.ts';

/**
 * In: bytes of the first range to leave out. Out: where in the first range that was not taken to go on.
 * @public
 */
export interface SgOffset {
  value: number;
}

/**
 * What the cut writes into: the region's first byte and its length, for blocks of `pageSize` bytes.
 * @public
 */
export type PagedRegion = Pick<IbMr, 'iova' | 'length' | 'pageSize'>;

/**
 * Takes one page; negative = it does not fit.
 * @public
 */
export type SetPage<Region> = (mr: Region, page: DmaAddr) => number;

/**
 * Passes the pages of the first `sgNents` ranges to `setPage` and sets iova and length of `mr`. Returns the number of
 * ranges taken; -EINVAL without ranges or with an offset outside the first; the error of `setPage` when nothing was taken.
 * @kernel ib_sg_to_pages
 * @public
 */
export function ibSgToPages<Region extends PagedRegion>(
  mr: Region,
  sgl: Iterable<DmaRange>,
  sgNents: number,
  sgOffset: SgOffset | null,
  setPage: SetPage<Region>,
): number {
  let offset = sgOffset?.value ?? 0;
  let taken = 0;
  let last: DmaAddr | null = null;
  if (sgNents <= 0) return -Errno.EINVAL;
  for (const range of sgl) {
    if (taken === sgNents) break;
    if (taken === 0) {
      if (offset > range.bytes) return -Errno.EINVAL;
      mr.iova = addOffset(range.address, offset);
      mr.length = 0;
    }
    const start = addOffset(range.address, offset);
    const end = addOffset(range.address, range.bytes);
    const joined =
      last !== null && (offsetWithin(last, mr.pageSize) !== 0 || offsetWithin(start, mr.pageSize) !== 0);
    if (joined && last !== start) break;
    const refused = setPages(mr, start, end, joined, setPage);
    if (refused !== null) {
      const goOn = byteDistance(range.address, refused.from);
      mr.length += byteDistance(start, refused.from);
      // An unsigned int in the kernel: a page that starts below the range wraps it.
      if (sgOffset !== null) sgOffset.value = goOn >>> 0;
      return taken > 0 || goOn !== 0 ? taken : refused.error;
    }
    mr.length += byteDistance(start, end);
    last = end;
    offset = 0;
    taken += 1;
  }
  if (taken === 0) return -Errno.EINVAL;
  if (sgOffset !== null) sgOffset.value = 0;
  return taken;
}

/** The pages of one range; of one that is `joined` to the last the first page is there already. Null = all accepted. */
function setPages<Region extends PagedRegion>(
  mr: Region,
  start: DmaAddr,
  end: DmaAddr,
  joined: boolean,
  setPage: SetPage<Region>,
): { readonly from: DmaAddr; readonly error: number } | null {
  let page = alignDown(start, mr.pageSize);
  let accepted = start;
  if (joined) page = addOffset(page, mr.pageSize);
  for (let first = !joined; first || page < end; first = false) {
    const error = setPage(mr, page);
    if (error < 0) return { from: accepted, error };
    accepted = page;
    page = addOffset(page, mr.pageSize);
  }
  return null;
}
