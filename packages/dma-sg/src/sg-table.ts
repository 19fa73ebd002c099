// SgTable: a scatterlist with its two counts, allocated array by array and chained.
// Source followed: include/linux/scatterlist.h (struct sg_table), lib/scatterlist.c (__sg_alloc_table,
// sg_alloc_table, sg_free_table), lib/sg_pool.c (sg_alloc_table_chained).
// Simplified: the pools behind the chained form are one allocator; its reserve of two arrays is not modelled.

import { PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, type PageFrames } from '@sgfree/mm';
import { Scatterlist, sgMarkEnd } from './scatterlist.ts';
import { type SgArrayAllocator, SgHeap } from './sg-array-allocator.ts';

/**
 * Entries of the first array of a chained allocation's pool: 128.
 * @public
 */
export const SG_CHUNK_SIZE = 128;

/**
 * Bytes of one entry of a struct scatterlist on x86-64: 32.
 * @public
 */
export const SG_ENTRY_BYTES = 32;

/**
 * Entries of the largest array ever allocated: one page of entries (`SG_MAX_SINGLE_ALLOC`), 128 on x86-64.
 * @public
 */
export const SG_MAX_SINGLE_ALLOC: number = PAGE_SIZE / SG_ENTRY_BYTES;

/**
 * A scatterlist and its counts (`struct sg_table`).
 * @public
 */
export class SgTable {
  /** The entries (`sgl`). */
  readonly list: Scatterlist;
  /** Entries of the CPU view (`orig_nents`): what unmap and sync take. */
  segmentCount = 0;
  /** Mapped DMA segments (`nents`). */
  mappedCount = 0;
  /** Sizes of the arrays in chain order, link slots included; the caller's first chunk leads. */
  readonly arrays: number[] = [];
  readonly allocator: SgArrayAllocator;

  constructor(memoryMap: PageFrames | null = null, allocator: SgArrayAllocator = new SgHeap()) {
    this.list = new Scatterlist(memoryMap);
    this.allocator = allocator;
  }
}

/**
 * Allocates `nents` entries in arrays of at most `maxEnts`, linked by their last slots. `nentsFirstChunk` entries
 * of the caller's own come first (0 = none). -EINVAL for no entries, -ENOMEM with the arrays so far still there
 * and, once a second array fails, a count one above the usable entries (as in Linux).
 * @public
 * @kernel __sg_alloc_table
 */
export function __sgAllocTable(
  table: SgTable,
  nents: number,
  maxEnts: number,
  nentsFirstChunk: number,
): number {
  resetTable(table);
  if (nents === 0) return -Errno.EINVAL;
  let left = nents;
  let limit = nentsFirstChunk > 0 ? nentsFirstChunk : maxEnts;
  let callersChunk = nentsFirstChunk > 0;
  while (left > 0) {
    const linked = left > limit;
    const entries = linked ? limit : left;
    const usable = linked ? entries - 1 : entries;
    if (!callersChunk && !table.allocator.allocArray(entries)) {
      if (table.arrays.length > 0) setCounts(table, table.segmentCount + 1);
      return -Errno.ENOMEM;
    }
    callersChunk = false;
    limit = maxEnts;
    left -= usable;
    table.arrays.push(entries);
    table.list.extend(usable);
    setCounts(table, table.segmentCount + usable);
  }
  sgMarkEnd(table.list, nents - 1);
  return 0;
}

/**
 * Allocates a table of `nents` entries; 0, -EINVAL or -ENOMEM (everything is then freed).
 * @public
 * @kernel sg_alloc_table
 */
export function sgAllocTable(table: SgTable, nents: number): number {
  const result = __sgAllocTable(table, nents, SG_MAX_SINGLE_ALLOC, 0);
  if (result !== 0) sgFreeTable(table);
  return result;
}

/**
 * As {@link sgAllocTable}, starting with an inline chunk of `nentsFirstChunk` entries where it helps.
 * @public
 * @kernel sg_alloc_table_chained
 */
export function sgAllocTableChained(table: SgTable, nents: number, nentsFirstChunk: number): number {
  if (nentsFirstChunk > 0 && nents <= nentsFirstChunk) {
    resetTable(table);
    table.arrays.push(nentsFirstChunk);
    table.list.extend(nents);
    sgMarkEnd(table.list, nents - 1);
    setCounts(table, nents);
    return 0;
  }
  const usedChunk = nentsFirstChunk <= 1 ? 0 : nentsFirstChunk;
  const result = __sgAllocTable(table, nents, SG_CHUNK_SIZE, usedChunk);
  if (result !== 0) sgFreeTableChained(table, usedChunk);
  return result;
}

/**
 * Frees all arrays of a table.
 * @public
 * @kernel sg_free_table
 */
export function sgFreeTable(table: SgTable): void {
  for (const entries of table.arrays) table.allocator.freeArray(entries);
  resetTable(table);
}

/**
 * Frees all arrays but the inline chunk that {@link sgAllocTableChained} was given.
 * @public
 * @kernel sg_free_table_chained
 */
export function sgFreeTableChained(table: SgTable, nentsFirstChunk: number): void {
  if (table.segmentCount <= nentsFirstChunk) {
    resetTable(table);
    return;
  }
  if (nentsFirstChunk > 1) table.arrays.shift();
  sgFreeTable(table);
}

/**
 * Usable entries of each chained array up to the END mark.
 * @public
 */
export function sgArrayLayout(table: SgTable): number[] {
  const layout: number[] = [];
  const { list } = table;
  let before = 0;
  for (let at = 0; at < table.arrays.length; at += 1) {
    const linked = at < table.arrays.length - 1;
    const usable = Math.min((table.arrays[at] as number) - (linked ? 1 : 0), list.entryCount - before);
    const ended = list.endMark.subarray(before, before + usable).indexOf(1);
    layout.push(ended < 0 ? usable : ended + 1);
    if (ended >= 0) break;
    before += usable;
  }
  return layout;
}

/** An empty table; its columns keep their memory. */
function resetTable(table: SgTable): void {
  table.arrays.length = 0;
  table.list.clear();
  setCounts(table, 0);
}

function setCounts(table: SgTable, count: number): void {
  table.segmentCount = count;
  table.mappedCount = count;
}
