// Page-table cases: one map and one unmap of a piece of address space, through the IOMMU core, on VT-d second-stage tables.
// Addresses wander: small pieces over 64 MiB, large ones over 64 GiB, so that some tens of tables are in use in turn.
// Simplified: the driver only counts the flushes it is asked for.

import { type DmaAddr, dmaAddr, type PhysAddr, PhysicalMemory, physAddr } from '@sgfree/hw-model';
import {
  IOMMU_READ,
  IOMMU_WRITE,
  iommuIovaToPhys,
  iommuMapNosync,
  iommuUnmap,
  PageTable,
  PagingDomain,
  VtdSecondStageFormat,
} from '@sgfree/iommu';
import { FrameAllocator, SeededRandom } from '@sgfree/mm';
import type { BenchCase, PreparedCase } from '../bench-case.ts';

const READ_WRITE = IOMMU_READ | IOMMU_WRITE;
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const PLACES = 1024;
const TABLE_BYTES = 256 * MIB;

/** A 48-bit VT-d domain in memory of its own. */
export function benchDomain(): { domain: PagingDomain; frames: FrameAllocator } {
  const memory = new PhysicalMemory();
  const window = { base: physAddr(64 * GIB), bytes: TABLE_BYTES };
  memory.addRam(window.base, window.bytes);
  const frames = new FrameAllocator(memory, window);
  const table = new PageTable({ format: new VtdSecondStageFormat(), memory, frames, vaBits: 48 });
  const ops = { iotlbSync: () => undefined, flushIotlbAll: () => undefined, iotlbSyncMap: null };
  return { domain: new PagingDomain({ table, ops }), frames };
}

interface Place {
  readonly iova: DmaAddr;
  readonly phys: PhysAddr;
}

/** Places for pieces of `bytes`, each piece aligned to `alignment`. */
function scatteredPlaces(bytes: number, alignment: number, count: number, spread: number): Place[] {
  const random = new SeededRandom(7);
  const slots = Math.floor(spread / Math.max(bytes, alignment));
  return Array.from({ length: count }, () => ({
    iova: dmaAddr(random.below(slots) * Math.max(bytes, alignment)),
    phys: physAddr(random.below(Math.floor((32 * GIB) / alignment)) * alignment),
  }));
}

/** Every page of a piece leads to its physical page while mapped, and nowhere afterwards. */
function prove(domain: PagingDomain, { iova, phys }: Place, bytes: number): void {
  const check = (right: boolean, what: string): void => {
    if (!right) throw new Error(`${what} at ${iova.toString(16)}`);
  };
  const { entriesWritten } = domain.table;
  check(iommuMapNosync(domain, iova, phys, bytes, READ_WRITE) === 0, 'map failed');
  const leaf = bytes >= 2 * MIB ? 2 * MIB : 4 * KIB;
  check(domain.table.entriesWritten - entriesWritten === bytes / leaf, 'wrong number of entries');
  const from: number = iova;
  const to: number = phys;
  for (let at = 0; at < bytes; at += 4 * KIB) {
    check(iommuIovaToPhys(domain, dmaAddr(from + at)) === to + at, 'wrong translation');
  }
  check(iommuUnmap(domain, iova, bytes) === bytes, 'unmap incomplete');
  for (let at = 0; at < bytes; at += 4 * KIB) {
    check(iommuIovaToPhys(domain, dmaAddr(from + at)) === 0, 'still mapped');
  }
  check(domain.table.liveLeafEntries === 0, 'leaves left');
}

function mapUnmapCase(
  name: string,
  operation: string,
  bytes: number,
  alignment: number,
  spread: number,
): BenchCase {
  return {
    name: `page-table/map-unmap/${name}`,
    operation,
    prepare(): PreparedCase {
      const { domain } = benchDomain();
      const places = scatteredPlaces(bytes, alignment, PLACES, spread);
      for (const place of places) prove(domain, place, bytes);
      return {
        run(operations) {
          for (let index = 0; index < operations; index += 1) {
            const { iova, phys } = places[index & (PLACES - 1)] as Place;
            iommuMapNosync(domain, iova, phys, bytes, READ_WRITE);
            iommuUnmap(domain, iova, bytes);
          }
        },
      };
    },
  };
}

export const pageTableMapUnmapCases: readonly BenchCase[] = [
  mapUnmapCase('4k', 'map and unmap one 4 KiB page', 4 * KIB, 4 * KIB, 64 * MIB),
  mapUnmapCase(
    '1m-scattered',
    'map and unmap 1 MiB as 256 pages of 4 KiB, at addresses scattered over 64 MiB',
    MIB,
    4 * KIB,
    64 * MIB,
  ),
  mapUnmapCase('2m', 'map and unmap one 2 MiB page', 2 * MIB, 2 * MIB, 64 * GIB),
];
