// SgAppendTable: a table filled from page lists call by call; neighbouring pages become one entry.
// Source followed: lib/scatterlist.c (sg_alloc_append_table_from_pages, get_next_sg,
// sg_alloc_table_from_pages_segment).
// Kept from Linux: when fewer bytes are given than the pages hold, the remainder wraps below zero and later entries
// keep their full length; bytes that were merged into the previous call's last entry are not taken off the size.
// Simplified: pages are frame numbers.

import { PAGE_SIZE } from '@sgfree/hw-model';
import { DmaApiViolation, Errno, type PageFrames } from '@sgfree/mm';
import { type Scatterlist, sgIsLast, sgMarkEnd } from './scatterlist.ts';
import { SG_MAX_SINGLE_ALLOC, type SgTable, sgFreeTable } from './sg-table.ts';

/**
 * `max_segment` when the caller has no limit of its own: 2^32 - 1 bytes.
 * @public
 */
export const SG_MAX_SEGMENT = 0xffffffff;

/**
 * A table under construction (`struct sg_append_table`).
 * @public
 */
export class SgAppendTable {
  readonly sgt: SgTable;
  /** Largest array: one page of entries; at least 2, because the last one links. */
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
  const start = sgtAppend.last < 0 ? list.entryCount : sgtAppend.last + 1;
  if (sgtAppend.last >= 0 && sgIsLast(list, sgtAppend.last)) {
    throw pastEnd();
  }
  const end = writeChunks(list, start, pages, first, nPages, limit / PAGE_SIZE);
  const reached = provideEntries(sgtAppend, start, end, leftPages);
  if (reached > start) trimEntries(list, start, end, offset, (nPages - first) * PAGE_SIZE - offset - size);
  if (reached < end) {
    list.blank(reached);
    if (sgtAppend.last >= 0) list.length[sgtAppend.last] = previousLength;
    return -Errno.ENOMEM;
  }
  if (list.memoryMap !== null) list.memoryMap.touched += end - start;
  sgt.segmentCount = sgt.mappedCount + end - start;
  sgt.mappedCount = sgt.segmentCount;
  sgtAppend.last = end - 1;
  if (leftPages === 0) sgMarkEnd(list, sgtAppend.last);
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
 * Cuts the pages from `first` on into chunks of at most `limitPages` mergeable neighbours and writes page and length of
 * each into the columns from entry `start` on, whether or not the entry exists yet; answers one past the last entry.
 * Linux goes over the pages twice, once to count and once to cut.
 */
function writeChunks(
  list: Scatterlist,
  start: number,
  pages: ArrayLike<number>,
  first: number,
  nPages: number,
  limitPages: number,
): number {
  const { memoryMap } = list;
  list.reserve(start + 1, start + nPages - first);
  let { pageFrame, length } = list;
  let entry = start;
  let begin = first;
  let head = pages[first] as number;
  let next = head + 1;
  let stop = first + limitPages;
  for (let page = first + 1; page < nPages; page += 1) {
    const frame = pages[page] as number;
    if (frame !== next || page >= stop || (memoryMap !== null && !memoryMap.samePagemap(frame, frame - 1))) {
      pageFrame[entry] = head;
      length[entry] = (page - begin) * PAGE_SIZE;
      entry += 1;
      if (entry === length.length) {
        list.reserve(entry + 1, entry + nPages - page);
        ({ pageFrame, length } = list);
      }
      begin = page;
      head = frame;
      stop = page + limitPages;
    }
    next = frame + 1;
  }
  pageFrame[entry] = head;
  length[entry] = (nPages - begin) * PAGE_SIZE;
  if (memoryMap !== null) memoryMap.touched += 2 * (nPages - first - 1);
  return entry + 1;
}

/**
 * Starts the first of the entries `start` to `end` at `offset`, and where the bytes end, `excess` before the end of the
 * pages, cuts the entry short; those behind it keep their length, because the size wraps below zero there.
 */
function trimEntries(list: Scatterlist, start: number, end: number, offset: number, excess: number): void {
  const { length } = list;
  list.offset[start] = offset;
  length[start] = (length[start] as number) - offset;
  if (excess <= 0) return;
  let entry = end - 1;
  let after = 0;
  while (entry > start && after + (length[entry] as number) < excess) {
    after += length[entry] as number;
    entry -= 1;
  }
  length[entry] = (length[entry] as number) - (excess - after);
}

/**
 * Allocates arrays until the entries below `end`, written from `start` on, have their places. An array's last slot
 * carries END until it is needed: as a link when more than one entry is still to come, as an entry otherwise.
 * Answers `end`, or the first entry without a place when an array cannot be had.
 */
function provideEntries(append: SgAppendTable, start: number, end: number, leftPages: number): number {
  const { sgt, maxSingleAlloc } = append;
  const { list, arrays, allocator } = sgt;
  const kept = append.last < 0 ? start : list.entryCount - 1;
  let provided = list.entryCount;
  let fresh = kept;
  let reached = end;
  while (provided < end || (provided === end && leftPages > 0)) {
    const entries = Math.min(end - fresh + leftPages, maxSingleAlloc);
    if (provided > fresh && entries < 2) throw pastEnd();
    if (!allocator.allocArray(entries)) {
      reached = fresh;
      break;
    }
    arrays.push(entries);
    append.totalEntries += entries - (provided - fresh);
    provided = fresh + entries;
    fresh = provided - 1;
  }
  if (provided > list.entryCount) {
    list.dropLast(list.entryCount - kept);
    list.extend(provided - kept, Math.min(end, provided) - kept);
    sgMarkEnd(list, provided - 1);
  }
  return reached;
}

function pastEnd(): DmaApiViolation {
  return new DmaApiViolation('sg-append-past-end', 'the list was ended; left_pages was too small before');
}
