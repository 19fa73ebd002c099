// One page mapped and unmapped through the whole DMA layer: address from a warm cache, page table, flush decision.
// Simplified: one page after another, each at another physical address of a small set.

import { dmaMapPhys, dmaUnmapPhys, NO_ATTRS } from '@sgfree/dma-core';
import { type DmaAddr, PAGE_SIZE, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';
import { dmaBenchMachine } from './two-step-machine.ts';

const PAGES = 64;
const PROVEN_PAIRS = 1000;

function prepare(): PreparedCase {
  const { dev, domain } = dmaBenchMachine();
  const pages: PhysAddr[] = Array.from({ length: PAGES }, (_, page) =>
    physAddr((0x10000 + page * 7) * PAGE_SIZE),
  );
  for (let pair = 0; pair < PROVEN_PAIRS; pair += 1) {
    const phys = pages[pair % PAGES] as PhysAddr;
    const address = dmaMapPhys(dev, phys, PAGE_SIZE, 'to-device', NO_ATTRS);
    // The last page below 4 GiB, from the tree once and from the cache ever after.
    requireSame('address', 0xfffff000, address);
    requireSame('translation', phys, iommuIovaToPhys(domain, address as DmaAddr));
    requireSame('entries', 1, domain.table.liveLeafEntries);
    dmaUnmapPhys(dev, address as DmaAddr, PAGE_SIZE, 'to-device', NO_ATTRS);
    requireSame('entries after unmap', 0, domain.table.liveLeafEntries);
    requireSame('flushes', pair + 1, domain.syncCalls);
  }
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        const phys = pages[done & (PAGES - 1)] as PhysAddr;
        const address = dmaMapPhys(dev, phys, PAGE_SIZE, 'to-device', NO_ATTRS) as DmaAddr;
        dmaUnmapPhys(dev, address, PAGE_SIZE, 'to-device', NO_ATTRS);
      }
      requireSame('entries after the run', 0, domain.table.liveLeafEntries);
    },
  };
}

/** One page through dma_map_phys and back. */
export const dmaMapUnmap: BenchCase = {
  name: 'dma/map-unmap/4k',
  operation: 'dma_map_phys and dma_unmap_phys of one page, strict, 32-bit address from a warm cache',
  prepare,
};
