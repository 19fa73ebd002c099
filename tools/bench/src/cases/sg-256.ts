// A scatterlist of 256 scattered pages through dma_map_sgtable and back: one range, 256 runs, merged to as few segments
// as the device's 64 KiB allow.
// Simplified: no two pages follow one another in memory.

import { dmaMapSg, dmaUnmapSg, type Scatterlist, SgTable, sgAllocTableFromPages } from '@sgfree/dma-sg';
import { addOffset, dmaAddr, PAGE_SIZE } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';
import { type DmaBenchMachine, dmaBenchMachine } from './two-step-machine.ts';

const PAGES = 256;
const BYTES: number = PAGES * PAGE_SIZE;
const SEGMENT_BYTES = 65536;
const SEGMENTS: number = BYTES / SEGMENT_BYTES;
const PROVEN_ROUNDS = 20;

/** Every page reached through the segments in order, and no entry too many. */
function proveMapped({ domain }: DmaBenchMachine, list: Scatterlist, pages: readonly number[]): void {
  // 256 pages are beyond the caches: the tree's highest aligned place below 4 GiB, each time again.
  const start = dmaAddr(2 ** 32 - BYTES);
  for (let segment = 0; segment < SEGMENTS; segment += 1) {
    requireSame('segment', addOffset(start, segment * SEGMENT_BYTES), list.dmaAddress[segment] ?? -1);
    requireSame('segment bytes', SEGMENT_BYTES, list.dmaLength[segment] ?? -1);
  }
  for (const [page, frame] of pages.entries()) {
    const phys = iommuIovaToPhys(domain, addOffset(start, page * PAGE_SIZE));
    requireSame('translation', frame * PAGE_SIZE, phys);
  }
  requireSame('entries', PAGES, domain.table.liveLeafEntries);
}

function prepare(): PreparedCase {
  const machine = dmaBenchMachine();
  const { dev, domain } = machine;
  const pages = Array.from({ length: PAGES }, (_, page) => 0x10000 + page * 7);
  const table = new SgTable();
  requireSame('errno', 0, sgAllocTableFromPages(table, pages, PAGES, 0, BYTES));
  const { list } = table;
  for (let round = 0; round < PROVEN_ROUNDS; round += 1) {
    requireSame('segments', SEGMENTS, dmaMapSg(dev, list, PAGES, 'from-device'));
    proveMapped(machine, list, pages);
    dmaUnmapSg(dev, list, PAGES, 'from-device');
    requireSame('entries after unmap', 0, domain.table.liveLeafEntries);
    requireSame('flushes', round + 1, domain.syncCalls);
  }
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        dmaMapSg(dev, list, PAGES, 'from-device');
        dmaUnmapSg(dev, list, PAGES, 'from-device');
      }
      requireSame('entries after the run', 0, domain.table.liveLeafEntries);
    },
  };
}

/** 256 scattered pages in one list. */
export const sg256: BenchCase = {
  name: 'dma/sg-256/map-unmap',
  operation: 'dma_map_sg and dma_unmap_sg of 256 scattered pages, strict',
  prepare,
};
