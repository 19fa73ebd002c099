// One page mapped and unmapped on a lazy domain: the unmap is queued, and one in 255 flushes the domain and frees the ring.
// The counters prove that this is what happens; no clock runs, so that only full rings flush.
// Simplified: one CPU, one page after another, each at another physical address of a small set.

import { dmaMapPhys, dmaUnmapPhys, iommuGetDmaCookie, NO_ATTRS } from '@sgfree/dma-core';
import { type DmaAddr, PAGE_SIZE, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';
import { dmaBenchMachine } from './two-step-machine.ts';

const PAGES = 64;
const USABLE = 255;
const PROVEN_PAIRS = 1000;

function prepare(): PreparedCase {
  const { dev, domain } = dmaBenchMachine('dma-fq');
  const { flushQueue } = iommuGetDmaCookie(domain);
  const pages: PhysAddr[] = Array.from({ length: PAGES }, (_, page) =>
    physAddr((0x10000 + page * 7) * PAGE_SIZE),
  );
  let pairs = 0;
  const expectedFlushes = (): number => Math.floor((pairs - 1) / USABLE);
  for (let pair = 0; pair < PROVEN_PAIRS; pair += 1) {
    const phys = pages[pair % PAGES] as PhysAddr;
    const address = dmaMapPhys(dev, phys, PAGE_SIZE, 'to-device', NO_ATTRS);
    requireSame('translation', phys, iommuIovaToPhys(domain, address as DmaAddr));
    dmaUnmapPhys(dev, address as DmaAddr, PAGE_SIZE, 'to-device', NO_ATTRS);
    pairs += 1;
    requireSame('entries after unmap', 0, domain.table.liveLeafEntries);
    requireSame('flushes', expectedFlushes(), flushQueue?.finishCount ?? -1);
    requireSame('waiting', pairs - expectedFlushes() * USABLE, flushQueue?.pending ?? -1);
    requireSame('flushes of one range', 0, domain.syncCalls);
  }
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        const phys = pages[done & (PAGES - 1)] as PhysAddr;
        const address = dmaMapPhys(dev, phys, PAGE_SIZE, 'to-device', NO_ATTRS) as DmaAddr;
        dmaUnmapPhys(dev, address, PAGE_SIZE, 'to-device', NO_ATTRS);
      }
      pairs += operations;
      requireSame('flushes after the run', expectedFlushes(), flushQueue?.finishCount ?? -1);
      requireSame('entries after the run', 0, domain.table.liveLeafEntries);
    },
  };
}

/** One page through dma_map_phys and the flush queue. */
export const flushQueueMapUnmap: BenchCase = {
  name: 'dma/flush-queue/map-unmap',
  operation: 'dma_map_phys and dma_unmap_phys of one page, lazy, 32-bit address, one flush in 255 unmaps',
  prepare,
};
