// Which ranges are flushed and which table pages go: the cases of the specification, in page frames.

import { describe, expect, it } from 'vitest';
import {
  IotlbGather,
  iommuIotlbGatherInit,
  iommuIotlbSync,
  mapFramesNosync,
  unmapFrames,
  unmapFramesAndSync,
  VtdSecondStageFormat,
} from '../src/index.ts';
import { type Flush, PageTableMachine, type TableKind, tableKinds } from './page-table-machine.ts';

const PAGE = 4096;
const READ_WRITE = 3;
const kind = (part: string): TableKind => tableKinds.find(({ title }) => title.includes(part)) as TableKind;

function machineOf(part: string): {
  machine: PageTableMachine;
  map: (frame: number, phys: number, pages: number) => number;
  unmap: (frame: number, pages: number) => number;
  flushes: () => Flush[];
} {
  const machine = new PageTableMachine(kind(part));
  return {
    machine,
    map: (frame, phys, pages) => mapFramesNosync(machine.domain, frame, 0, phys, 0, pages * PAGE, READ_WRITE),
    unmap: (frame, pages) => unmapFramesAndSync(machine.domain, frame, 0, pages * PAGE) / PAGE,
    flushes: () => machine.flushes.splice(0),
  };
}

describe('VT-d second stage', () => {
  it('a partly unmapped large page goes whole', () => {
    const { map, unmap, flushes } = machineOf('second stage, 48 bits');
    expect(map(0x200, 0x200, 512)).toBe(0);
    expect(unmap(0x200, 1)).toBe(512);
    expect(flushes()).toEqual([{ first: 0x200, last: 0x3ff, tables: 0 }]);
  });

  it('an unmap stops at a hole, and one that starts in it does nothing', () => {
    const { map, unmap, flushes } = machineOf('second stage, 48 bits');
    map(0x400, 0x1000, 3);
    expect(unmap(0x400, 5)).toBe(3);
    expect(flushes()).toEqual([{ first: 0x400, last: 0x402, tables: 0 }]);
    expect(unmap(0x401, 1)).toBe(0);
    expect(flushes()).toEqual([]);
  });

  it('flush-all-on-zero-unmap: nothing unmapped at address 0 flushes everything', () => {
    const { unmap, flushes } = machineOf('second stage, 48 bits');
    expect(unmap(0, 1)).toBe(0);
    expect(flushes()).toEqual([{ first: 0, last: 2 ** 52 - 1, tables: 0 }]);
  });

  it('a table goes when one call covers it, and stays when it is emptied in pieces', () => {
    const { machine, map, unmap, flushes } = machineOf('second stage, 48 bits');
    map(0x200, 0x1001, 512);
    expect(unmap(0x200, 512)).toBe(512);
    expect(flushes()).toEqual([{ first: 0x200, last: 0x3ff, tables: 1 }]);
    map(0x200, 0x1001, 512);
    unmap(0x200, 256);
    unmap(0x300, 256);
    expect(flushes().map(({ tables }) => tables)).toEqual([0, 0]);
    expect(machine.table.tablesPerLevel).toEqual([1, 1, 1, 1, 0, 0]);
    expect(map(0x200, 0x1000, 512)).toBe(0);
    expect(flushes()).toEqual([{ first: 0x200, last: 0x3ff, tables: 1 }]);
    expect(machine.table.tablesPerLevel).toEqual([0, 1, 1, 1, 0, 0]);
    expect(machine.frames.liveFrames).toBe(3);
  });

  it('frees every table under the range of one call', () => {
    const { map, unmap, flushes } = machineOf('second stage, 48 bits');
    map(0x40000, 0x1001, 0x400);
    expect(unmap(0x40000, 0x400)).toBe(0x400);
    expect(flushes()).toEqual([{ first: 0x40000, last: 0x403ff, tables: 2 }]);
  });
});

describe('AMD v1', () => {
  it('takes a whole contiguous page away, and none of it from the middle', () => {
    const { map, unmap } = machineOf('AMD v1, 48 bits');
    map(0x10, 0x10, 16);
    expect(unmap(0x10, 1)).toBe(16);
    map(0x2000, 0x3000, 5);
    expect(unmap(0x2001, 1)).toBe(0);
    expect(unmap(0x2000, 2)).toBe(4);
  });

  it('grows by as many levels as an address needs, in one step, and tells the driver', () => {
    const { machine, map } = machineOf('AMD v1, 64 bits');
    let changes = 0;
    machine.table.topChanged = () => {
      changes += 1;
    };
    map(5, 0x99, 1);
    expect([machine.table.levels, machine.table.topChanges, changes]).toEqual([1, 0, 0]);
    map(2 ** 27, 0x100, 4);
    expect([machine.table.levels, machine.table.topChanges, changes]).toEqual([4, 1, 1]);
    map(2 ** 52 - 4, 0x200, 4);
    expect([machine.table.levels, machine.table.topChanges, changes]).toEqual([6, 2, 2]);
    expect(machine.hardwareWalk(5)?.phys).toBe(0x99);
    expect(machine.hardwareWalk(2 ** 52 - 1)?.phys).toBe(0x203);
    expect(machine.table.entriesWritten).toBe(9);
  });
});

describe('gathering', () => {
  it('keeps one range over gaps, or flushes the first when gaps are not allowed', () => {
    const spans = (features: object): Flush[] => {
      const machine = new PageTableMachine({
        ...kind('second stage, 48 bits'),
        format: () => new VtdSecondStageFormat(features),
      });
      const gather = new IotlbGather();
      iommuIotlbGatherInit(gather);
      for (const frame of [8, 9, 20]) {
        mapFramesNosync(machine.domain, frame, 0, 50, 0, PAGE, READ_WRITE);
        unmapFrames(machine.domain, frame, 0, PAGE, gather);
      }
      iommuIotlbSync(machine.domain, gather);
      iommuIotlbSync(machine.domain, gather);
      return machine.flushes;
    };
    expect(spans({ flushRange: true })).toEqual([{ first: 8, last: 20, tables: 0 }]);
    expect(spans({ flushRangeNoGaps: true })).toEqual([
      { first: 8, last: 9, tables: 0 },
      { first: 20, last: 20, tables: 0 },
    ]);
  });

  it('keeps no range when the flush is queued, but keeps the tables', () => {
    const { machine, map } = machineOf('second stage, 48 bits');
    map(0x200, 0x1001, 512);
    const gather = new IotlbGather();
    gather.queued = true;
    expect(unmapFrames(machine.domain, 0x200, 0, 512 * PAGE, gather)).toBe(512 * PAGE);
    expect(gather.pending).toBe(false);
    expect(gather.freelist).toHaveLength(1);
  });

  it('tells disjoint from touching ranges, at the ends of the space too', () => {
    const gather = new IotlbGather();
    expect(gather.isDisjoint(7, 0, PAGE)).toBe(false);
    gather.addRange(100, 0, 10 * PAGE);
    expect(gather.isDisjoint(110, 0, PAGE)).toBe(false);
    expect(gather.isDisjoint(111, 0, PAGE)).toBe(true);
    expect(gather.isDisjoint(99, 0, PAGE)).toBe(false);
    expect(gather.isDisjoint(98, 0, PAGE)).toBe(true);
    expect(gather.isDisjoint(98, 1, 2 * PAGE - 1)).toBe(false);
    gather.addRange(2 ** 52 - 1, 0, PAGE);
    // The byte after the last one is byte 0 in 64 bits, so everything above it counts as disjoint.
    expect(gather.isDisjoint(105, 0, PAGE)).toBe(true);
  });
});
