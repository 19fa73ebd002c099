// 256 scattered pages through the two-step API: one range of addresses, 256 links, one sync, one destroy. The
// counterpart of mapping and unmapping a scatterlist of 256 entries.
// Simplified: no two pages follow one another in memory.

import { NO_ATTRS } from '@sgfree/dma-core';
import { DmaIovaState, dmaIovaDestroy, dmaIovaLink, dmaIovaSync, dmaIovaTryAlloc } from '@sgfree/dma-iova';
import { addOffset, PAGE_SIZE, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';
import { type DmaBenchMachine, dmaBenchMachine } from './two-step-machine.ts';

const PAGES = 256;
const BYTES: number = PAGES * PAGE_SIZE;
const PROVEN_ROUNDS = 20;

function mapAll({ dev }: DmaBenchMachine, state: DmaIovaState, pages: readonly PhysAddr[]): void {
  requireSame('allocation', 1, Number(dmaIovaTryAlloc(dev, state, pages[0] as PhysAddr, BYTES)));
  let failed = 0;
  for (let page = 0; page < PAGES; page += 1) {
    failed |= dmaIovaLink(
      dev,
      state,
      pages[page] as PhysAddr,
      page * PAGE_SIZE,
      PAGE_SIZE,
      'from-device',
      NO_ATTRS,
    );
  }
  failed |= dmaIovaSync(dev, state, 0, BYTES);
  requireSame('links', 0, failed);
}

function prepare(): PreparedCase {
  const machine = dmaBenchMachine();
  const { dev, domain } = machine;
  const state = new DmaIovaState();
  const pages = Array.from({ length: PAGES }, (_, page) => physAddr((0x10000 + page * 7) * PAGE_SIZE));
  for (let round = 0; round < PROVEN_ROUNDS; round += 1) {
    mapAll(machine, state, pages);
    // 256 pages are beyond the caches: the tree's highest aligned place below 4 GiB, each time again.
    requireSame('address', 2 ** 32 - BYTES, state.addr);
    for (const [page, phys] of pages.entries()) {
      requireSame('translation', phys, iommuIovaToPhys(domain, addOffset(state.addr, page * PAGE_SIZE)));
    }
    requireSame('entries', PAGES, domain.table.liveLeafEntries);
    dmaIovaDestroy(dev, state, BYTES, 'from-device', NO_ATTRS);
    requireSame('entries after destroy', 0, domain.table.liveLeafEntries);
    requireSame('flushes', round + 1, domain.syncCalls);
  }
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        mapAll(machine, state, pages);
        dmaIovaDestroy(dev, state, BYTES, 'from-device', NO_ATTRS);
      }
      requireSame('entries after the run', 0, domain.table.liveLeafEntries);
    },
  };
}

/** 256 pages linked into one range and destroyed. */
export const twoStep256: BenchCase = {
  name: 'dma/two-step-256/map-unmap',
  operation: 'one range for 256 scattered pages: try_alloc, 256 links, sync, destroy, strict',
  prepare,
};
