// SgAppendTable: a table filled from page lists call by call; neighbouring pages become one entry.
// Source followed: lib/scatterlist.c (sg_alloc_append_table_from_pages, get_next_sg,
// sg_alloc_table_from_pages_segment).
// Kept from Linux: when fewer bytes are given than the pages hold, the remainder wraps below zero and later entries
// keep their full length; bytes that were merged into the previous call's last entry are not taken off the size.
// Simplified: pages are frame numbers.

import { PAGE_SIZE } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, type PageFrames } from '@sgfree/mm';
import { type Scatterlist, sgIsLast, sgMarkEnd, sgNext } from './scatterlist.ts';
import { SG_MAX_SINGLE_ALLOC, type SgTable, sgFreeTable } from './sg-table.ts';

/**
 * `max_segment` when the caller has no limit of its own: 2^32 - 1 bytes.
 * @public
 */
export const SG_MAX_SEGMENT = 0xffffffff;

/** What `size` becomes once the C unsigned long wrapped below zero: larger than any entry. */
const WRAPPED_SIZE = 2 ** 64;

/**
 * A table under construction (`struct sg_append_table`).
 * @public
 */
export class SgAppendTable {
  readonly sgt: SgTable;
  /** Largest array: one page of entries. */
  readonly maxSingleAlloc: number;
  /** The last entry filled (`prv`), -1 before the first call. */
  last = -1;
  /** Entries allocated, used or not (`total_nents`). */
  totalEntries = 0;

  constructor(sgt: SgTable, maxSingleAlloc: number = SG_MAX_SINGLE_ALLOC) {
    this.sgt = sgt;
    this.maxSingleAlloc = maxSingleAlloc;
  }
}

/**
 * Appends the first `nPages` of `pages` (frame numbers) to the table, `size` bytes from `offset` of the first
 * page on; `leftPages` more are announced for later calls (0 ends the list). Returns 0; -EINVAL when `maxSegment`
 * is below a page or a later call has an offset; -ENOMEM when an array cannot be had (the caller frees).
 * @public
 * @kernel sg_alloc_append_table_from_pages
 */
export function sgAllocAppendTableFromPages(
  sgtAppend: SgAppendTable,
  pages: ArrayLike<number>,
  nPages: number,
  offset: number,
  size: number,
  maxSegment: number,
  leftPages: number,
): number {
  const { sgt } = sgtAppend;
  const { list } = sgt;
  const limit = Math.floor(maxSegment / PAGE_SIZE) * PAGE_SIZE;
  if (limit < PAGE_SIZE) return -Errno.EINVAL;
  let first = 0;
  let previousLength = 0;
  if (sgtAppend.last >= 0) {
    if (offset !== 0) return -Errno.EINVAL;
    previousLength = list.length[sgtAppend.last] as number;
    first = growLastEntry(list, sgtAppend.last, pages, nPages, limit);
    if (first === nPages) {
      if (leftPages === 0) sgMarkEnd(list, sgtAppend.last);
      return 0;
    }
  }
  const ends = new Int32Array(nPages - first);
  const chunks = findChunks(list.memoryMap, pages, first, nPages, limit / PAGE_SIZE, ends);
  let { endMark, pageFrame, offset: offsets, length: lengths } = list;
  let entry = sgtAppend.last;
  let left = size;
  let skip = offset;
  let page = first;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const end = ends[chunk] as number;
    // Within an array the next entry is simply the next one; only its last slot takes thought.
    if (entry >= 0 && endMark[entry] === 0 && endMark[entry + 1] === 0) entry += 1;
    else {
      entry = nextEntry(sgtAppend, entry, chunks - chunk + leftPages);
      if (entry < 0) {
        if (sgtAppend.last >= 0) list.length[sgtAppend.last] = previousLength;
        return -Errno.ENOMEM;
      }
      ({ endMark, pageFrame, offset: offsets, length: lengths } = list);
    }
    const chunkBytes = (end - page) * PAGE_SIZE - skip;
    pageFrame[entry] = pages[page] as number;
    offsets[entry] = skip;
    lengths[entry] = Math.min(left, chunkBytes);
    left = left < chunkBytes ? WRAPPED_SIZE : left - chunkBytes;
    skip = 0;
    page = end;
  }
  if (list.memoryMap !== null) list.memoryMap.touched += chunks;
  sgt.segmentCount = sgt.mappedCount + chunks;
  sgt.mappedCount = sgt.segmentCount;
  sgtAppend.last = entry;
  if (leftPages === 0) sgMarkEnd(list, entry);
  return 0;
}

/**
 * Builds a whole table from one page list; 0 or a negative errno with everything freed.
 * @public
 * @kernel sg_alloc_table_from_pages_segment
 */
export function sgAllocTableFromPagesSegment(
  sgt: SgTable,
  pages: ArrayLike<number>,
  nPages: number,
  offset: number,
  size: number,
  maxSegment: number,
): number {
  const append = new SgAppendTable(sgt);
  const result = sgAllocAppendTableFromPages(append, pages, nPages, offset, size, maxSegment, 0);
  if (result !== 0) sgFreeAppendTable(append);
  return result;
}

/**
 * As {@link sgAllocTableFromPagesSegment} without a segment limit.
 * @public
 * @kernel sg_alloc_table_from_pages
 */
export function sgAllocTableFromPages(
  sgt: SgTable,
  pages: ArrayLike<number>,
  nPages: number,
  offset: number,
  size: number,
): number {
  return sgAllocTableFromPagesSegment(sgt, pages, nPages, offset, size, SG_MAX_SEGMENT);
}

/**
 * Frees the arrays of a table under construction and starts it over.
 * @public
 * @kernel sg_free_append_table
 */
export function sgFreeAppendTable(append: SgAppendTable): void {
  sgFreeTable(append.sgt);
  append.last = -1;
  append.totalEntries = 0;
}

/** Adds pages to the entry filled last while they continue it; returns how many pages it took. */
function growLastEntry(
  list: Scatterlist,
  last: number,
  pages: ArrayLike<number>,
  nPages: number,
  limit: number,
): number {
  const { memoryMap } = list;
  let length = list.length[last] as number;
  const end = (list.pageFrame[last] as number) * PAGE_SIZE + (list.offset[last] as number) + length;
  const next = Math.floor(end / PAGE_SIZE);
  if (memoryMap !== null) memoryMap.touched += 1;
  if (pages[0] !== next) return 0;
  let taken = 0;
  let before = next - 1;
  while (taken < nPages && mergeable(memoryMap, pages[taken] as number, before)) {
    if (length + PAGE_SIZE > limit) break;
    length += PAGE_SIZE;
    before = pages[taken] as number;
    taken += 1;
  }
  list.length[last] = length;
  return taken;
}

/** Looks at both pages' struct page: neighbours, and of one pagemap. */
function mergeable(memoryMap: PageFrames | null, page: number, before: number): boolean {
  if (memoryMap === null) return page === before + 1;
  memoryMap.touched += 1;
  return page === before + 1 && memoryMap.samePagemap(page, before);
}

/**
 * Cuts the pages from `first` on into chunks of at most `limitPages` mergeable neighbours and puts one past the last page
 * of each into `ends`; returns their number. Linux goes over the pages twice, once to count and once to cut.
 */
function findChunks(
  memoryMap: PageFrames | null,
  pages: ArrayLike<number>,
  first: number,
  nPages: number,
  limitPages: number,
  ends: Int32Array,
): number {
  let chunks = 0;
  let longest = first + limitPages;
  let before = pages[first] as number;
  for (let page = first + 1; page < nPages; page += 1) {
    const frame = pages[page] as number;
    const joins = page < longest && frame === before + 1;
    if (!joins || (memoryMap !== null && !memoryMap.samePagemap(frame, before))) {
      ends[chunks] = page;
      chunks += 1;
      longest = page + limitPages;
    }
    before = frame;
  }
  if (memoryMap !== null) memoryMap.touched += 2 * (nPages - first - 1);
  ends[chunks] = nPages;
  return chunks + 1;
}

/**
 * The entry to fill next. An array's last slot carries END until it is needed: as a link when more than one entry is
 * still to come, as an entry otherwise. -1 when no new array can be had.
 */
function nextEntry(append: SgAppendTable, current: number, neededEntries: number): number {
  const { sgt } = append;
  const { list } = sgt;
  if (current >= 0) {
    const next = sgNext(list, current);
    if (next < 0) {
      throw new DmaApiViolation('sg-append-past-end', 'the list was ended; left_pages was too small before');
    }
    if (!sgIsLast(list, next) || neededEntries === 1) return next;
  }
  const entries = Math.min(neededEntries, append.maxSingleAlloc);
  if (!sgt.allocator.allocArray(entries)) return -1;
  if (current >= 0) list.dropLast(1);
  sgt.arrays.push(entries);
  const fresh = list.entryCount;
  list.extend(entries);
  sgMarkEnd(list, fresh + entries - 1);
  append.totalEntries += current >= 0 ? entries - 1 : entries;
  return fresh;
}
