// Scatterlist tables of 256 pages, built from a page list and freed: all pages neighbours, or no two of them.
// Simplified: arrays come from a heap that only counts.

import {
  SG_MAX_SINGLE_ALLOC,
  SgHeap,
  SgTable,
  sgAllocTableFromPages,
  sgArrayLayout,
  sgFreeTable,
  sgNents,
} from '@sgfree/dma-sg';
import { PAGE_SIZE } from '@sgfree/hw-model';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';

const PAGES = 256;
const FIRST_FRAME = 0x10000;
/** Usable entries of the arrays: a full array gives its last slot to the link. */
const CHAINED_LAYOUT = [
  SG_MAX_SINGLE_ALLOC - 1,
  SG_MAX_SINGLE_ALLOC - 1,
  PAGES - 2 * (SG_MAX_SINGLE_ALLOC - 1),
];

function prepare(stride: number): PreparedCase {
  const merged = stride === 1;
  const pages = Array.from({ length: PAGES }, (_, page) => FIRST_FRAME + page * stride);
  const heap = new SgHeap();
  const table = new SgTable(null, heap);
  const build = (): number => sgAllocTableFromPages(table, pages, PAGES, 0, PAGES * PAGE_SIZE);
  requireSame('errno', 0, build());
  requireSame('entries', merged ? 1 : PAGES, table.segmentCount);
  requireSame('entries up to END', table.segmentCount, sgNents(table.list));
  for (const [at, usable] of (merged ? [1] : CHAINED_LAYOUT).entries()) {
    requireSame('usable entries of an array', usable, sgArrayLayout(table)[at] ?? -1);
  }
  for (let sg = 0; sg < table.segmentCount; sg += 1) {
    requireSame('frame', pages[sg] ?? -1, table.list.pageFrame[sg] ?? -2);
    requireSame('bytes', merged ? PAGES * PAGE_SIZE : PAGE_SIZE, table.list.length[sg] ?? -1);
  }
  sgFreeTable(table);
  requireSame('arrays after free', 0, heap.liveArrays);
  return {
    run(operations) {
      let failed = 0;
      for (let done = 0; done < operations; done += 1) {
        failed |= build();
        sgFreeTable(table);
      }
      requireSame('errno of all', 0, failed);
      requireSame('bytes after the run', 0, heap.liveBytes);
    },
  };
}

/** 256 neighbouring pages, and 256 scattered ones. */
export const sgTableBuilds: readonly BenchCase[] = [
  {
    name: 'sg/table-build/256-merged',
    operation: 'table from 256 neighbouring pages built and freed: one entry',
    prepare: () => prepare(1),
  },
  {
    name: 'sg/table-build/256-unmerged',
    operation: 'table from 256 scattered pages built and freed: 256 entries in three arrays',
    prepare: () => prepare(7),
  },
];
