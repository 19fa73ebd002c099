// IOVA replacement in a full space: every page is a live range of its own, one of them is freed and one is allocated.
// This is Linux's worst case: from the remembered node it walks range by range down to the only hole.
// Simplified: one page at a time, in a pseudo-random order that does not depend on the results.

import { allocIova, freeIova, IovaDomain } from '@sgfree/iommu';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { LinearWalk, requireSame } from './iova-linear-walk.ts';

const PROVEN_REPLACEMENTS = 1000;
const ORDER_LENGTH = 1 << 14;

/** Frames 1 to `live` in a pseudo-random order with repetitions. */
function freeOrder(live: number): Int32Array {
  let state = 1;
  return Int32Array.from({ length: ORDER_LENGTH }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return 1 + ((state >>> 8) % live);
  });
}

function prepare(live: number): PreparedCase {
  const iovad = new IovaDomain({ granule: 4096, startPfn: 1 });
  const oracle = new LinearWalk(1);
  for (let page = 0; page < live; page += 1) {
    requireSame('filling', oracle.alloc(1, live), allocIova(iovad, 1, live, true));
  }
  const order = freeOrder(live);
  for (const pfn of order.subarray(0, PROVEN_REPLACEMENTS)) {
    oracle.free(pfn);
    freeIova(iovad, pfn);
    requireSame('replacement', oracle.alloc(1, live), allocIova(iovad, 1, live, true));
  }
  let at = 0;
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        freeIova(iovad, order[at] as number);
        allocIova(iovad, 1, live, true);
        at = (at + 1) & (ORDER_LENGTH - 1);
      }
      requireSame('ranges in the tree', live, iovad.rangeCount);
    },
  };
}

/** One replacement at three sizes. */
export const iovaReplacements: readonly BenchCase[] = [
  ['1k', 1_000],
  ['10k', 10_000],
  ['100k', 100_000],
].map(([label, live]) => ({
  name: `iova/replace/${label}`,
  operation: `one page freed and one allocated among ${label} live ranges`,
  prepare: () => prepare(Number(live)),
}));
