// What a scatterlist costs in memory: struct sg_table and its chained arrays, as the kernel's allocator rounds them.
// Source followed: include/linux/scatterlist.h (struct scatterlist, struct sg_table), lib/scatterlist.c (sg_kmalloc).
// Simplified: slab overhead beside the size classes is not counted.

import { kmallocSize } from './sg-array-allocator.ts';
import { SG_ENTRY_BYTES, type SgTable } from './sg-table.ts';

/**
 * Bytes of struct sg_table on a 64-bit machine: 16.
 * @public
 */
export const SG_TABLE_BYTES = 16;

/**
 * Bytes a table holds now: 16 for itself, and each array in its size class. `entryBytes` is 32 with NEED_SG_DMA_LENGTH
 * (x86-64), 24 without.
 * @public
 */
export const sgTableBytes = (table: SgTable, entryBytes: number = SG_ENTRY_BYTES): number =>
  table.arrays.reduce((bytes, entries) => bytes + kmallocSize(entries * entryBytes), SG_TABLE_BYTES);
