// Tables from page lists: the kernel's vectors, an oracle that looks at all pages at once, and failing allocations.

import { fc, test } from '@fast-check/vitest';
import { Errno, PageFrames } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { entriesOf } from '../test/sg-machine.ts';
import { sgNents } from './scatterlist.ts';
import {
  SG_MAX_SEGMENT,
  SgAppendTable,
  sgAllocAppendTableFromPages,
  sgAllocTableFromPages,
  sgAllocTableFromPagesSegment,
  sgFreeAppendTable,
} from './sg-append-table.ts';
import { SgHeap } from './sg-array-allocator.ts';
import { SgTable } from './sg-table.ts';

type Segment = [frame: number, offset: number, bytes: number];

function built(pages: number[], offset: number, size: number, maxSegment: number): Segment[] {
  const table = new SgTable();
  expect(sgAllocTableFromPagesSegment(table, pages, pages.length, offset, size, maxSegment)).toBe(0);
  expect(sgNents(table.list)).toBe(table.segmentCount);
  return entriesOf(table.list).slice(0, table.segmentCount) as Segment[];
}

/** Page by page: a page joins the segment before when it follows it and the segment may grow by a page. */
function oracle(pages: readonly number[], offset: number, maxSegment: number): Segment[] {
  const limit = Math.floor(maxSegment / 4096);
  const segments: Segment[] = [];
  let pagesIn = 0;
  for (const [at, page] of pages.entries()) {
    const last = segments.at(-1);
    if (last !== undefined && page === (pages[at - 1] as number) + 1 && pagesIn < limit) {
      last[2] += 4096;
      pagesIn += 1;
    } else {
      segments.push([page, 0, 4096]);
      pagesIn = 1;
    }
  }
  const first = segments[0] as Segment;
  first[1] = offset;
  first[2] -= offset;
  return segments;
}

const pageLists = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 12 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((runs) => runs.flatMap(([first, count]) => Array.from({ length: count }, (_, at) => first + at)));

describe('sg_alloc_table_from_pages', () => {
  it('joins neighbours and keeps to the limit', () => {
    expect(built([0x1000, 0x1001, 0x1002, 0x2000, 0x2001], 0x100, 0x4e00, SG_MAX_SEGMENT)).toEqual([
      [0x1000, 0x100, 0x2f00],
      [0x2000, 0, 0x1f00],
    ]);
    expect(built([0x1000, 0x1001, 0x1002, 0x1003], 0, 0x4000, 0x2fff)).toEqual([
      [0x1000, 0, 0x2000],
      [0x1002, 0, 0x2000],
    ]);
  });

  it('a limit below a page: -EINVAL', () => {
    expect(sgAllocTableFromPagesSegment(new SgTable(), [1], 1, 0, 4096, 4095)).toBe(-Errno.EINVAL);
  });

  it('does not join pages of different pagemaps', () => {
    const frames = new PageFrames();
    frames.addZoneDevice('pci-p2pdma', 0x101, 0x10);
    const table = new SgTable(frames);
    expect(sgAllocTableFromPages(table, [0x100, 0x101, 0x102], 3, 0, 3 * 4096)).toBe(0);
    expect(table.segmentCount).toBe(2);
    expect(frames.touched).toBeGreaterThan(0);
  });

  it('sg-append-underflow: with fewer bytes than the pages hold later entries keep their length', () => {
    expect(built([1, 5, 9], 0, 0x800, SG_MAX_SEGMENT)).toEqual([
      [1, 0, 0x800],
      [5, 0, 0x1000],
      [9, 0, 0x1000],
    ]);
  });

  test.prop([
    pageLists,
    fc.integer({ min: 0, max: 4095 }),
    fc.constantFrom(4096, 9000, 0x10000, SG_MAX_SEGMENT),
  ])('agrees with the oracle', (pages, offset, maxSegment) => {
    expect(built(pages, offset, pages.length * 4096 - offset, maxSegment)).toEqual(
      oracle(pages, offset, maxSegment),
    );
  });
});

describe('sg_alloc_append_table_from_pages', () => {
  test.prop([pageLists, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 })])(
    'call by call it describes the same bytes as at once',
    (pages, cuts) => {
      const heap = new SgHeap();
      const append = new SgAppendTable(new SgTable(null, heap));
      for (let at = 0, cut = 0; at < pages.length; cut += 1) {
        const part = pages.slice(at, at + (cuts[cut % cuts.length] as number));
        at += part.length;
        const left = pages.length - at;
        const errno = sgAllocAppendTableFromPages(
          append,
          part,
          part.length,
          0,
          part.length * 4096,
          SG_MAX_SEGMENT,
          left,
        );
        expect(errno).toBe(0);
      }
      const { list } = append.sgt;
      const count = sgNents(list);
      expect(entriesOf(list).slice(0, count)).toEqual(oracle(pages, 0, SG_MAX_SEGMENT));
      sgFreeAppendTable(append);
      expect([heap.liveArrays, append.last, append.totalEntries]).toEqual([0, -1, 0]);
    },
  );

  it('an offset in a later call: -EINVAL; more pages after the end: a violation', () => {
    const append = new SgAppendTable(new SgTable());
    sgAllocAppendTableFromPages(append, [1], 1, 0, 4096, SG_MAX_SEGMENT, 0);
    expect(sgAllocAppendTableFromPages(append, [5], 1, 8, 4088, SG_MAX_SEGMENT, 0)).toBe(-Errno.EINVAL);
    expect(() => sgAllocAppendTableFromPages(append, [5], 1, 0, 4096, SG_MAX_SEGMENT, 0)).toThrow(
      expect.objectContaining({ rule: 'sg-append-past-end' }),
    );
  });

  it('out of memory in a later call: the entry that had grown is as before, and the slot not reached is empty', () => {
    const heap = new SgHeap();
    const append = new SgAppendTable(new SgTable(null, heap), 4);
    expect(sgAllocAppendTableFromPages(append, [1, 3, 5], 3, 0, 3 * 4096, SG_MAX_SEGMENT, 8)).toBe(0);
    heap.failAfter = 0;
    expect(sgAllocAppendTableFromPages(append, [6, 20, 30], 3, 0, 3 * 4096, SG_MAX_SEGMENT, 5)).toBe(
      -Errno.ENOMEM,
    );
    expect(entriesOf(append.sgt.list).slice(2)).toEqual([
      [5, 0, 4096],
      [-1, 0, 0],
    ]);
    sgFreeAppendTable(append);
    expect(heap.liveArrays).toBe(0);
  });
});
