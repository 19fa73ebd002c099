// The dirty record, from the entries of a table behind a real AMD-Vi unit to the bitmap: what is read is what stands in the
// table's memory, and what was made clean is flushed once, behind the walk (io_pagetable.c of iommufd).
import { AmdIommuUnit, dirtyTrackingAmdFeatures, dmaAddr, frameOf, physAddr } from '@sgfree/hw-model';
import { AmdIommu, iommuDomainFree } from '@sgfree/iommu';
import { describe, expect, it } from 'vitest';
import {
  IoptDomain,
  ioptReadAndClearDirtyData,
  ioptSetDirtyTracking,
  ioptTableAddDomain,
  ioptTableRemoveDomain,
  type U64Range,
  u64,
  u64Number,
} from '../../src/index.ts';
import { CoreMachine, numberOf } from '../core-machine.ts';

const P = 4096;
const VA = 2 ** 31;
const AT = 0x200000;
const DEVICE = 0x100;
const PAGES = 16;

/** An address space that is shown through a table of an AMD-Vi unit, and a device behind the unit. */
function bench(small = true) {
  const machine = new CoreMachine();
  const { memory, log } = machine;
  const unit = new AmdIommuUnit(memory, { features: dirtyTrackingAmdFeatures });
  const iommu = new AmdIommu({ unit, memory, frames: machine.tables, log, lastDeviceId: 0x3ff });
  const opened = iommu.openPagingDomain('unmanaged', true);
  if (!opened.ok) throw new Error('no domain');
  const paging = opened.value;
  const table = new IoptDomain(paging);
  const { iopt } = machine.ioas();
  iopt.disableLargePages = small;
  machine.mmap(PAGES * P, VA, true);
  expect(machine.run(ioptTableAddDomain(iopt, table))).toBe(0);
  expect(iommu.attachDevice(paging, DEVICE)).toBe(0);
  const map = (page: number, count: number, at: number): void => {
    const space = { iopt } as ReturnType<CoreMachine['ioas']>;
    expect(numberOf(machine.map(space, u64(VA + page * P), u64(count * P), u64(at)))).toBe(at);
  };
  /** Pages of the window that are dirty. */
  const read = (noClear = false, from = AT, bytes = PAGES * P): number[] => {
    const found: number[] = [];
    const record = ({ first, last }: U64Range): void => {
      for (let at = u64Number(first); at <= u64Number(last); at += P) found.push((at - AT) / P);
    };
    const window = { first: u64(from), last: u64(from + bytes - 1) };
    expect(machine.run(ioptReadAndClearDirtyData(iopt, table, window, noClear, record))).toBe(0);
    return found;
  };
  /** What the device reaches at an IOVA: a page frame, or -1. */
  const reaches = (at: number): number => {
    const phys = unit.translate(DEVICE, dmaAddr(at), true);
    return phys < 0 ? -1 : frameOf(physAddr(phys));
  };
  const track = (on: boolean): number => machine.run(ioptSetDirtyTracking(iopt, table, on));
  return { machine, iommu, paging, table, iopt, map, read, reaches, track };
}

/** The low word of the leaf of level 0 behind an IOVA, read from memory by hand. */
function entryOf({ machine, paging }: ReturnType<typeof bench>, at: number): number {
  const { memory } = machine;
  let frame = paging.table.rootFrame;
  for (let level = paging.table.levels - 1; level > 0; level -= 1) {
    const slot = Math.floor(at / P / 512 ** level) % 512;
    const words = memory.frameWords(frame);
    frame = (((words[slot * 2 + 1] ?? 0) & 0xfffff) * 0x100000 + ((words[slot * 2] ?? 0) >>> 12)) >>> 0;
  }
  return memory.frameWords(frame)[(Math.floor(at / P) % 512) * 2] ?? 0;
}

const DIRTY = 0x40;

describe('bits', () => {
  it('are those of the entries in memory', () => {
    const it1 = bench();
    it1.map(0, PAGES, AT);
    expect(entryOf(it1, AT + 3 * P) & DIRTY).toBe(0);
    expect(it1.table.markDirty(u64(AT + 3 * P + 77))).toBe(true);
    expect(entryOf(it1, AT + 3 * P) & DIRTY).toBe(DIRTY);
    expect(entryOf(it1, AT + 2 * P) & DIRTY).toBe(0);
    const before = it1.reaches(AT + 3 * P);
    expect([it1.read(true), it1.read(), it1.read()]).toEqual([[3], [3], []]);
    expect(entryOf(it1, AT + 3 * P) & DIRTY).toBe(0);
    expect([it1.reaches(AT + 3 * P), before]).toEqual([before, it1.table.frameAt(u64(AT + 3 * P))]);
  });

  it('of a large page are of all its entries, wherever the unit has set one', () => {
    const it1 = bench(false);
    const { table, machine } = it1;
    const frames = Array.from({ length: 8 }, (_, at) => 0x2000 + at);
    expect(table.map(u64(AT), frames[0] ?? 0, 0, 8 * P, 3)).toBe(0);
    const bit = (at: number): number => entryOf(it1, AT + at * P) & DIRTY;
    table.markDirty(u64(AT + 5 * P));
    expect(frames.map((_, at) => bit(at) !== 0).filter(Boolean)).toHaveLength(1);
    const found: number[] = [];
    table.readDirty({ first: u64(AT), last: u64(AT + 8 * P - 1) }, false, ({ first, last }) =>
      found.push(u64Number(first) - AT, u64Number(last) - AT),
    );
    expect(found).toEqual([0, 8 * P - 1]);
    expect(frames.map((_, at) => bit(at))).toEqual(frames.map(() => 0));
    expect(machine.rules()).toEqual([]);
  });

  it('outside of the window stay', () => {
    const it1 = bench();
    it1.map(0, PAGES, AT);
    for (const page of [0, 1, 4, 5, 6, 15]) it1.table.markDirty(u64(AT + page * P));
    expect([it1.read(false, AT + P, 4 * P), it1.read()]).toEqual([
      [1, 4],
      [0, 5, 6, 15],
    ]);
  });

  it('behind a gap are not read, and stay', () => {
    const it1 = bench();
    it1.map(0, 2, AT);
    it1.map(2, 2, AT + 2 * P);
    it1.map(8, 2, AT + 8 * P);
    for (const page of [1, 3, 8]) it1.table.markDirty(u64(AT + page * P));
    expect([it1.read(), it1.read(false, AT + 8 * P, P), it1.read(false, AT - P)]).toEqual([[1, 3], [8], []]);
  });

  it('are all cleared when the record starts, in every area, and by nothing else', () => {
    const it1 = bench();
    it1.map(0, 2, AT);
    it1.map(8, 2, AT + 8 * P);
    it1.table.markDirty(u64(AT + P));
    it1.table.markDirty(u64(AT + 9 * P));
    expect(it1.track(false)).toBe(0);
    expect([entryOf(it1, AT + P) & DIRTY, entryOf(it1, AT + 9 * P) & DIRTY]).toEqual([DIRTY, DIRTY]);
    expect(it1.track(true)).toBe(0);
    expect([entryOf(it1, AT + P) & DIRTY, entryOf(it1, AT + 9 * P) & DIRTY]).toEqual([0, 0]);
  });
});

describe('flushing', () => {
  it('happens once for a walk that made something clean, and not for one that did not', () => {
    const it1 = bench();
    it1.map(0, PAGES, AT);
    const { paging, iommu, table } = it1;
    const flushes = (run: () => void): number[] => {
      const before = [paging.syncCalls, iommu.counters.commands];
      run();
      return [paging.syncCalls - (before[0] ?? 0), Math.sign(iommu.counters.commands - (before[1] ?? 0))];
    };
    expect(flushes(() => it1.read())).toEqual([0, 0]);
    for (const page of [0, 7, 15]) table.markDirty(u64(AT + page * P));
    expect(flushes(() => it1.read(true))).toEqual([0, 0]);
    expect(flushes(() => it1.read())).toEqual([1, 1]);
    expect(flushes(() => it1.read())).toEqual([0, 0]);
    for (const page of [2, 3]) table.markDirty(u64(AT + page * P));
    expect(flushes(() => it1.track(false))).toEqual([0, 0]);
    expect(flushes(() => it1.track(true))).toEqual([1, 1]);
    expect(flushes(() => it1.track(true))).toEqual([0, 0]);
  });

  it('reaches what the unit remembers', () => {
    const it1 = bench();
    it1.map(0, PAGES, AT);
    const { paging, table, machine } = it1;
    const frame = it1.reaches(AT + 4 * P);
    table.markDirty(u64(AT + 4 * P));
    // The entry is changed behind the unit's back: it goes on with what it remembers until it is told.
    const words = machine.memory.frameWords(leafTable(it1, AT));
    const slot = ((AT / P + 4) % 512) * 2;
    const low = words[slot] ?? 0;
    words[slot] = (low + P) >>> 0;
    expect(it1.reaches(AT + 4 * P)).toBe(frame);
    expect(it1.read(true)).toEqual([4]);
    expect(it1.reaches(AT + 4 * P)).toBe(frame);
    expect(it1.read()).toEqual([4]);
    expect(it1.reaches(AT + 4 * P)).toBe(frame + 1);
    words[slot] = (words[slot] ?? 0) - P;
    machine.run(ioptTableRemoveDomain(it1.iopt, table));
    it1.iommu.detachDevice(DEVICE);
    iommuDomainFree(paging);
    expect(machine.rules()).toEqual([]);
  });
});

/** The page frame of the table of level 0 behind an IOVA. */
function leafTable({ machine, paging }: ReturnType<typeof bench>, at: number): number {
  let frame = paging.table.rootFrame;
  for (let level = paging.table.levels - 1; level > 0; level -= 1) {
    const slot = Math.floor(at / P / 512 ** level) % 512;
    const words = machine.memory.frameWords(frame);
    frame = ((words[slot * 2 + 1] ?? 0) & 0xfffff) * 0x100000 + ((words[slot * 2] ?? 0) >>> 12);
  }
  return frame;
}
