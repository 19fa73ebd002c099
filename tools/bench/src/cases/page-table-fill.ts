// Page-table fill: 2 MiB mapped with 4 KiB pages into an empty table and unmapped again, the leaf table made and freed each
// time, on each format. The proof reads every entry back as the walker of the hardware would.
// Simplified: the upper levels stay, since a neighbour keeps them in use.

import { PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  AmdV1Format,
  IOMMU_READ,
  IOMMU_WRITE,
  IotlbGather,
  PageTable,
  type PageTableFormat,
  VtdSecondStageFormat,
  X8664Format,
} from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import type { BenchCase, PreparedCase } from '../bench-case.ts';

const READ_WRITE = IOMMU_READ | IOMMU_WRITE;
const PAGES = 512;
const BYTES = PAGES * 4096;
const IOVA_FRAME = 0x40200;
/** Odd, so that no page larger than 4 KiB fits. */
const PHYS_FRAME = 0x123457;

function freshTable(format: PageTableFormat): PageTable {
  const memory = new PhysicalMemory();
  const window = { base: physAddr(2 ** 30), bytes: 2 ** 22 };
  memory.addRam(window.base, window.bytes);
  const frames = new FrameAllocator(memory, window);
  return new PageTable({ format, memory, frames, vaBits: 48, topLevel: 3, pgsizeBitmap: 0x40201000 });
}

function prove(table: PageTable, gather: IotlbGather): void {
  const before = table.liveTables;
  if (table.mapRange(IOVA_FRAME, 0, PHYS_FRAME, 0, BYTES, READ_WRITE) !== 0) throw new Error('map failed');
  for (let page = 0; page < PAGES; page += 1) {
    if (table.physOf(IOVA_FRAME + page) !== PHYS_FRAME + page) throw new Error(`page ${page} is wrong`);
  }
  if (table.unmapRange(IOVA_FRAME, 0, BYTES, gather) !== BYTES) throw new Error('unmap incomplete');
  if (gather.freelist.length !== 1) throw new Error('the leaf table was not taken out');
  table.releaseTables(gather);
  if (table.liveTables !== before || table.physOf(IOVA_FRAME) !== -1) throw new Error('something is left');
}

function fillCase(format: PageTableFormat): BenchCase {
  return {
    name: `page-table/fill/${format.name}`,
    operation: 'map and unmap 2 MiB as 512 pages of 4 KiB, with their leaf table',
    prepare(): PreparedCase {
      const table = freshTable(format);
      const gather = new IotlbGather();
      table.mapRange(IOVA_FRAME - PAGES, 0, 1, 0, 4096, READ_WRITE);
      prove(table, gather);
      return {
        run(operations) {
          for (let index = 0; index < operations; index += 1) {
            table.mapRange(IOVA_FRAME, 0, PHYS_FRAME, 0, BYTES, READ_WRITE);
            table.unmapRange(IOVA_FRAME, 0, BYTES, gather);
            table.releaseTables(gather);
          }
        },
      };
    },
  };
}

export const pageTableFillCases: readonly BenchCase[] = [
  fillCase(new VtdSecondStageFormat()),
  fillCase(new AmdV1Format()),
  fillCase(new X8664Format()),
];
