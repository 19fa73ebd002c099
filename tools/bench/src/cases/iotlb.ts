// IOTLB: one request of a device translated by the unit, from its cache and by a page walk.
// The driver made the tables; the device then reads pages in a fixed scattered order. The pages of the miss case have a
// table each and are more than the caches hold: a walk reads that table and the one above, whose place is cached.
// Simplified: one device and one domain, reads only.

import {
  type DmaAddr,
  dmaOfFrame,
  PAGE_SIZE,
  PhysicalMemory,
  physAddr,
  physOfFrame,
  recordedVtdCapabilities,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu, iommuIovaToPhys, iommuMap } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';

const DEVICE = 0x0100;
const READ_WRITE = 3;
const FIRST_IOVA = 0x80000;
/** 256 pages fit the IOTLB of 512 entries, 2048 pages do not; one more than 512 apart, they spread over its sets. */
const HIT = { pages: 256, stride: 1, hitsPerRequest: 1, readsPerRequest: 0 } as const;
const MISS = { pages: 2048, stride: 513, hitsPerRequest: 0, readsPerRequest: 2 } as const;
/** Odd, so that a step of it modulo a power of two visits every page. */
const STEP = 149;

function prepare(shape: typeof HIT | typeof MISS): PreparedCase {
  const memory = new PhysicalMemory();
  const ram = { base: physAddr(0), bytes: 2 ** 30 };
  memory.addRam(ram.base, ram.bytes);
  const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities });
  const iommu = new IntelIommu({ unit, memory, frames: new FrameAllocator(memory, ram) });
  const domain = iommu.allocPagingDomain();
  requireSame('attach', 0, iommu.attachDevice(domain, DEVICE));
  const order: DmaAddr[] = [];
  for (let at = 0; at < shape.pages; at += 1) {
    const page = (at * STEP) & (shape.pages - 1);
    const iova = dmaOfFrame(FIRST_IOVA + page * shape.stride);
    requireSame('map', 0, iommuMap(domain, iova, physOfFrame(0x1000 + page * 3), PAGE_SIZE, READ_WRITE));
    order.push(iova);
  }
  const { counters } = unit;
  for (const iova of order) {
    requireSame('translation', iommuIovaToPhys(domain, iova), unit.translate(DEVICE, iova, false));
  }
  let next = 0;
  const run = (operations: number): void => {
    const hits = counters.iotlbHits;
    const reads = counters.tableReads;
    for (let done = 0; done < operations; done += 1) {
      unit.translate(DEVICE, order[next] as DmaAddr, false);
      next = (next + 1) & (shape.pages - 1);
    }
    requireSame('hits', operations * shape.hitsPerRequest, counters.iotlbHits - hits);
    requireSame('table reads', operations * shape.readsPerRequest, counters.tableReads - reads);
  };
  // Caches are full now: a whole round shows what the timed requests will meet.
  run(shape.pages);
  return { run };
}

/** A request answered by the IOTLB, and one that takes a page walk. */
export const iotlbCases: readonly BenchCase[] = [
  {
    name: 'iotlb/hit',
    operation: 'one request translated from the IOTLB of a VT-d unit',
    prepare: () => prepare(HIT),
  },
  {
    name: 'iotlb/miss',
    operation: 'one request translated by a page walk of two reads, with full caches',
    prepare: () => prepare(MISS),
  },
];
