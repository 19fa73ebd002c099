// IOVA pairs: one page allocated and freed again, from a warm per-CPU cache and from the tree of an empty domain.
// The cached pair is what most I/O pays; the tree pair is what anything above 128 KiB pays at least.
// Simplified: 32-bit addresses on CPU 0.

import { allocIova, allocIovaFast, freeIova, freeIovaFast, IovaDomain } from '@sgfree/iommu';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { LinearWalk, requireSame } from './iova-linear-walk.ts';

const LIMIT = 0xfffff;
const PROVEN_PAIRS = 1000;

function prepareCached(): PreparedCase {
  const iovad = new IovaDomain({ granule: 4096, startPfn: 1 });
  const oracle = new LinearWalk(1);
  const first = oracle.alloc(1, LIMIT);
  requireSame('first allocation', first, allocIovaFast(iovad, 1, LIMIT, true));
  freeIovaFast(iovad, first, 1);
  for (let pair = 0; pair < PROVEN_PAIRS; pair += 1) {
    // The freed page stays in the tree and in the magazine, so the same one comes back.
    requireSame('cached allocation', first, allocIovaFast(iovad, 1, LIMIT, true));
    freeIovaFast(iovad, first, 1);
  }
  requireSame('cache hits', PROVEN_PAIRS, iovad.cacheHits);
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        freeIovaFast(iovad, allocIovaFast(iovad, 1, LIMIT, true), 1);
      }
      requireSame('ranges in the tree', 1, iovad.rangeCount);
    },
  };
}

function prepareTree(): PreparedCase {
  const iovad = new IovaDomain({ granule: 4096, startPfn: 1 });
  const oracle = new LinearWalk(1);
  for (let pair = 0; pair < PROVEN_PAIRS; pair += 1) {
    const pfn = oracle.alloc(1, LIMIT);
    requireSame('tree allocation', pfn, allocIova(iovad, 1, LIMIT, true));
    oracle.free(pfn);
    freeIova(iovad, pfn);
  }
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        freeIova(iovad, allocIova(iovad, 1, LIMIT, true));
      }
      requireSame('ranges in the tree', 0, iovad.rangeCount);
    },
  };
}

/** A page from the cache and back. */
export const iovaCachedPair: BenchCase = {
  name: 'iova/pair/cached',
  operation: 'one page allocated from a warm per-CPU cache and freed into it',
  prepare: prepareCached,
};

/** A page from the tree and back. */
export const iovaTreePair: BenchCase = {
  name: 'iova/pair/tree',
  operation: 'one page allocated from the tree of an empty domain and freed into it',
  prepare: prepareTree,
};
