// SgTable: arrays, links and counts as the kernel's allocator makes them, and what they cost.

import { fc, test } from '@fast-check/vitest';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { sgNents } from './scatterlist.ts';
import { kmallocSize, SgHeap } from './sg-array-allocator.ts';
import { sgTableBytes } from './sg-footprint.ts';
import {
  __sgAllocTable,
  SgTable,
  sgAllocTable,
  sgAllocTableChained,
  sgArrayLayout,
  sgFreeTable,
  sgFreeTableChained,
} from './sg-table.ts';

describe('sg_alloc_table', () => {
  it.each<[number, number[], number[], number]>([
    [1, [1], [1], 16 + 32],
    [5, [5], [5], 16 + 192],
    [128, [128], [128], 16 + 4096],
    [129, [128, 2], [127, 2], 16 + 4096 + 64],
    [255, [128, 128], [127, 128], 16 + 2 * 4096],
    [256, [128, 128, 2], [127, 127, 2], 16 + 2 * 4096 + 64],
  ])('%i entries', (entries, arrays, layout, bytes) => {
    const heap = new SgHeap();
    const table = new SgTable(null, heap);
    expect(sgAllocTable(table, entries)).toBe(0);
    expect(table.arrays).toEqual(arrays);
    expect(sgArrayLayout(table)).toEqual(layout);
    expect(sgTableBytes(table)).toBe(bytes);
    expect(heap.liveBytes).toBe(bytes - 16);
    expect([table.segmentCount, table.mappedCount, sgNents(table.list)]).toEqual([entries, entries, entries]);
    sgFreeTable(table);
    expect([heap.liveBytes, heap.liveArrays, table.segmentCount, sgTableBytes(table)]).toEqual([0, 0, 0, 16]);
  });

  it('24-byte entries without NEED_SG_DMA_LENGTH', () => {
    const heap = new SgHeap(24);
    const table = new SgTable(null, heap);
    expect(__sgAllocTable(table, 171, 170, 0)).toBe(0);
    expect(table.arrays).toEqual([170, 2]);
    expect(sgTableBytes(table, 24)).toBe(16 + 4096 + 64);
  });

  it('no entries: -EINVAL', () => {
    expect(sgAllocTable(new SgTable(), 0)).toBe(-Errno.EINVAL);
  });

  test.prop([fc.integer({ min: 1, max: 2000 })])(
    'every array but the last gives its last slot to the link',
    (entries) => {
      const table = new SgTable();
      sgAllocTable(table, entries);
      const layout = sgArrayLayout(table);
      expect(layout.reduce((sum, usable) => sum + usable, 0)).toBe(entries);
      expect(
        table.arrays.every((size, at) => size === (layout[at] as number) + Number(at < layout.length - 1)),
      ).toBe(true);
    },
  );

  it('fails at each array in turn and keeps none', () => {
    for (let allowed = 0; allowed < 4; allowed += 1) {
      const heap = new SgHeap();
      heap.failAfter = allowed;
      const table = new SgTable(null, heap);
      expect(sgAllocTable(table, 500)).toBe(-Errno.ENOMEM);
      expect([heap.liveArrays, heap.liveBytes, table.segmentCount]).toEqual([0, 0, 0]);
    }
  });

  it('sg-failed-table-count: the inner call counts one entry too many after a failed second array', () => {
    const heap = new SgHeap();
    heap.failAfter = 1;
    const table = new SgTable(null, heap);
    expect(__sgAllocTable(table, 200, 128, 0)).toBe(-Errno.ENOMEM);
    expect([table.segmentCount, table.list.entryCount]).toEqual([128, 127]);
  });
});

describe('sg_alloc_table_chained', () => {
  it.each<[number, number, number[], number]>([
    [3, 4, [4], 0],
    [4, 4, [4], 0],
    [5, 4, [4, 2], 1],
    [5, 1, [5], 1],
    [5, 0, [5], 1],
    [200, 8, [8, 128, 66], 2],
  ])('%i entries with an inline chunk of %i', (entries, chunk, arrays, allocated) => {
    const heap = new SgHeap();
    const table = new SgTable(null, heap);
    expect(sgAllocTableChained(table, entries, chunk)).toBe(0);
    expect(table.arrays).toEqual(arrays);
    expect([heap.liveArrays, sgNents(table.list)]).toEqual([allocated, entries]);
    sgFreeTableChained(table, chunk);
    expect([heap.liveArrays, heap.liveBytes, table.segmentCount]).toEqual([0, 0, 0]);
  });

  it('gives back what it took when an array cannot be had', () => {
    const heap = new SgHeap();
    heap.failAfter = 1;
    const table = new SgTable(null, heap);
    expect(sgAllocTableChained(table, 200, 8)).toBe(-Errno.ENOMEM);
    expect([heap.liveArrays, heap.liveBytes]).toEqual([0, 0]);
  });
});

describe('kmalloc', () => {
  it.each([
    [1, 8],
    [64, 64],
    [65, 96],
    [97, 128],
    [160, 192],
    [193, 256],
    [4096, 4096],
    [4097, 8192],
    [8193, 12288],
  ])('%i bytes take %i', (asked, taken) => {
    expect(kmallocSize(asked)).toBe(taken);
  });
});
