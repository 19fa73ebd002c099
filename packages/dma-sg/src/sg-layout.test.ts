// Properties of the layout over random lists: segments as the oracle has them, every byte reached through the page
// table, limits kept, nothing left after unmapping.

import { fc, test } from '@fast-check/vitest';
import { NO_ATTRS } from '@sgfree/dma-core';
import { addOffset, dmaAddr, offsetWithin, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys } from '@sgfree/iommu';
import { describe, expect } from 'vitest';
import { expectedSegments, placeEntries } from '../test/segment-oracle.ts';
import { type Entry, entriesOf, type SgMachine, sgMachine, tableOf } from '../test/sg-machine.ts';
import { dmaMapSgtable, dmaUnmapSgtable } from './dma-map-sg.ts';
import type { SgTable } from './sg-table.ts';

const bytes = fc.oneof(
  fc.integer({ min: 1, max: 4096 }),
  fc.integer({ min: 1, max: 40 }).map((pages) => pages * 4096),
  fc.integer({ min: 1, max: 200_000 }),
);
const offset = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9000 }));
const entry: fc.Arbitrary<Entry> = fc.tuple(fc.integer({ min: 0x10, max: 0x4000 }), offset, bytes);
const lists = fc.array(entry, { minLength: 1, maxLength: 24 });
const boundaryBits = fc.constantFrom(10, 12, 13, 14, 16, 20, 32, 64);
const limits = fc.constantFrom(1, 4096, 6000, 8192, 65536, 100_000, 0x7fffffff, 0xffffffff);

const segmentsOf = (table: SgTable): [bigint, bigint][] =>
  Array.from({ length: table.mappedCount }, (_, sg) => [
    BigInt(table.list.dmaAddress[sg] as number),
    BigInt(table.list.dmaLength[sg] as number),
  ]);

/** Walks the bytes of the entries through the segments, page by page. */
function expectReached(machine: SgMachine, table: SgTable, entries: readonly Entry[]): void {
  const reached: [number, number][] = [];
  for (let sg = 0; sg < table.mappedCount; sg += 1) {
    const start = dmaAddr(table.list.dmaAddress[sg] as number);
    const length = table.list.dmaLength[sg] as number;
    for (let done = 0; done < length; ) {
      const address = addOffset(start, done);
      const piece = Math.min(4096 - offsetWithin(address, 4096), length - done);
      reached.push([iommuIovaToPhys(machine.domain, address), piece]);
      done += piece;
    }
  }
  const wanted: [number, number][] = [];
  for (const [frame, start, length] of entries) {
    for (let done = 0; done < length; ) {
      const phys = physAddr(frame * 4096 + start + done);
      const piece = Math.min(4096 - offsetWithin(phys, 4096), length - done);
      wanted.push([phys, piece]);
      done += piece;
    }
  }
  expect(reached).toEqual(wanted);
}

describe('dma_map_sg over random lists', () => {
  test.prop([lists, boundaryBits, limits], { numRuns: 300 })(
    'agrees with the oracle',
    (entries, bits, maxSegmentSize) => {
      const boundary = 2n ** BigInt(bits) - 1n;
      const machine = sgMachine({
        boundary: bits > 53 ? 2 ** bits : 2 ** bits - 1,
        maxSegmentSize,
        vaBits: 39,
      });
      const table = tableOf(...entries);
      expect(dmaMapSgtable(machine.dev, table, 'bidirectional', NO_ATTRS)).toBe(0);
      expect(entriesOf(table.list)).toEqual(entries);
      const iova = BigInt(Math.floor((table.list.dmaAddress[0] as number) / 4096) * 4096);
      expect(segmentsOf(table)).toEqual(expectedSegments(entries, iova, boundary, maxSegmentSize));
      expect(machine.domain.table.liveLeafEntries).toBe(Number(placeEntries(entries, boundary).bytes) / 4096);
      expectReached(machine, table, entries);
      dmaUnmapSgtable(machine.dev, table, 'bidirectional', NO_ATTRS);
      expect(machine.domain.table.liveLeafEntries).toBe(0);
      expect(machine.liveRanges()).toBe(0);
    },
  );

  test.prop([lists, fc.constantFrom(13, 14, 16, 20)], { numRuns: 200 })(
    'no segment of entries that fit crosses a boundary or exceeds the limit',
    (entries, bits) => {
      const window = 2 ** bits;
      const fitting = entries.map(([frame, start, length]): Entry => {
        const skip = start % 4096;
        return [frame, start, Math.min(length, window - skip)];
      });
      const machine = sgMachine({ boundary: window - 1, maxSegmentSize: window });
      const table = tableOf(...fitting);
      expect(dmaMapSgtable(machine.dev, table, 'to-device', NO_ATTRS)).toBe(0);
      for (const [address, length] of segmentsOf(table)) {
        expect(length <= BigInt(window)).toBe(true);
        expect(address / BigInt(window)).toBe((address + length - 1n) / BigInt(window));
      }
    },
  );
});
