import { beforeEach, describe, expect, it } from 'vitest';
import { physAddr } from '../addresses.ts';
import { PhysicalMemory } from '../physical-memory.ts';
import { AmdV1Walk, amdV1EncodedFrames } from './amd-v1-walk.ts';
import { VtdSecondStageWalk } from './vtd-second-stage-walk.ts';
import { ACCESS_READ, ACCESS_WRITE, PageWalk, type WalkFormat, WalkOutcome } from './walk-format.ts';
import { X8664Walk } from './x86-64-walk.ts';

const ALL = ACCESS_READ | ACCESS_WRITE;
const TOP = 10;
const MIDDLE = 11;
const LOWEST = 12;
let memory: PhysicalMemory;
const walk = new PageWalk();

beforeEach(() => {
  memory = new PhysicalMemory();
  memory.addRam(physAddr(0), 0x100000);
});

/** Writes entry `index` of the table in frame `table` as hex words. */
function entry(table: number, index: number, high: number, low: number): void {
  const words = memory.frameWords(table);
  words[index * 2 + 1] = high;
  words[index * 2] = low;
}

const run = (format: WalkFormat, iovaFrame: number, needed = ALL, level = 2): WalkOutcome =>
  format.walk(memory, TOP, level, iovaFrame, ALL, needed, walk);

describe('VtdSecondStageWalk', () => {
  const features = { hostAddressWidth: 39, snoopControl: false, deviceTlb: false, largePages: 3 };
  const format = new VtdSecondStageWalk(features);
  const IOVA = 1 * 262144 + 2 * 512 + 3;

  beforeEach(() => {
    entry(TOP, 1, 0, (MIDDLE << 12) | 3);
    entry(MIDDLE, 2, 0, (LOWEST << 12) | 3);
    entry(LOWEST, 3, 0x12, 0x34567003);
  });

  it('reads three levels and leaves the way in the chain', () => {
    expect(run(format, IOVA)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.leafFrames, walk.permissions, walk.tableReads]).toEqual([0x1234567, 1, ALL, 3]);
    expect([...walk.chainTable]).toEqual([LOWEST, MIDDLE, TOP, -1, -1, -1]);
  });

  it('goes on from any table with what was granted before', () => {
    expect(format.walk(memory, LOWEST, 0, IOVA, ACCESS_READ, ACCESS_READ, walk)).toBe(WalkOutcome.ok);
    expect([walk.permissions, walk.tableReads]).toEqual([ACCESS_READ, 1]);
    expect(format.walk(memory, LOWEST, 0, IOVA, ACCESS_READ, ACCESS_WRITE, walk)).toBe(WalkOutcome.denied);
  });

  it('ANDs permissions over the levels', () => {
    entry(MIDDLE, 2, 0, (LOWEST << 12) | 1);
    expect(run(format, IOVA, ACCESS_READ)).toBe(WalkOutcome.ok);
    expect(walk.permissions).toBe(ACCESS_READ);
    expect(run(format, IOVA, ACCESS_WRITE)).toBe(WalkOutcome.denied);
    expect(walk.level).toBe(1);
  });

  it('ends at an empty entry and at a table that is no memory', () => {
    expect(run(format, IOVA + 1)).toBe(WalkOutcome.notPresent);
    entry(MIDDLE, 2, 0x10, 3);
    expect(run(format, IOVA)).toBe(WalkOutcome.unreadableTable);
  });

  it('translates inside large pages, where the unit has them', () => {
    entry(MIDDLE, 2, 0, 0x40000083);
    expect(run(format, IOVA)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.leafFrame, walk.leafFrames]).toEqual([0x40003, 0x40000, 512]);
    const small = new VtdSecondStageWalk({ ...features, largePages: 0 });
    expect(run(small, IOVA)).toBe(WalkOutcome.reservedBit);
    entry(MIDDLE, 2, 0, 0x40001083);
    expect(run(format, IOVA)).toBe(WalkOutcome.reservedBit);
    entry(TOP, 1, 0, 0x40000083);
    expect(run(format, IOVA)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.leafFrames]).toEqual([0x40000 + 2 * 512 + 3, 262144]);
  });

  it.each([
    ['an address beyond the host width', 0x80, 0x34567003, WalkOutcome.reservedBit],
    ['SNP without snoop control', 0x12, 0x34567803, WalkOutcome.reservedBit],
    ['TM without device TLBs', 0x40000012, 0x34567003, WalkOutcome.reservedBit],
    ['software bits', 0x9ff00012, 0x34567403, WalkOutcome.ok],
  ])('judges %s', (_title, high, low, outcome) => {
    entry(LOWEST, 3, high, low);
    expect(run(format, IOVA)).toBe(outcome);
  });
});

describe('X8664Walk', () => {
  const format = new X8664Walk({ hostAddressWidth: 46, gigabytePages: false });
  const IOVA = 5;

  beforeEach(() => {
    entry(TOP, 0, 0, (MIDDLE << 12) | 0x27);
    entry(MIDDLE, 0, 0, (LOWEST << 12) | 0x27);
    entry(LOWEST, 5, 0, 0x99067);
  });

  it('grants reading whatever is present, writing by R/W, nothing without U/S', () => {
    expect(run(format, IOVA)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.permissions]).toEqual([0x99, ALL]);
    entry(LOWEST, 5, 0, 0x99025);
    expect(run(format, IOVA, ACCESS_READ)).toBe(WalkOutcome.ok);
    expect(run(format, IOVA, ACCESS_WRITE)).toBe(WalkOutcome.denied);
    entry(LOWEST, 5, 0, 0x99063);
    expect(run(format, IOVA, ACCESS_READ)).toBe(WalkOutcome.denied);
    entry(LOWEST, 5, 0, 0x99066);
    expect(run(format, IOVA, ACCESS_READ)).toBe(WalkOutcome.notPresent);
  });

  it('takes bit 12 of a large page for its memory type', () => {
    entry(MIDDLE, 0, 0, 0x402020e7);
    expect(run(format, IOVA)).toBe(WalkOutcome.reservedBit);
    entry(MIDDLE, 0, 0, 0x402000e7 | 0x1000);
    expect(run(format, IOVA)).toBe(WalkOutcome.ok);
    expect(walk.frame).toBe(0x40200 + 5);
  });

  it('knows the sizes that the unit has', () => {
    entry(TOP, 0, 0, 0x400000e7);
    expect(run(format, IOVA)).toBe(WalkOutcome.reservedBit);
    const withGigabytes = new X8664Walk({ hostAddressWidth: 46, gigabytePages: true });
    expect(run(withGigabytes, IOVA)).toBe(WalkOutcome.ok);
    expect(walk.leafFrames).toBe(262144);
    entry(TOP, 0, 0x4000, (MIDDLE << 12) | 0x27);
    expect(run(format, IOVA)).toBe(WalkOutcome.reservedBit);
  });
});

describe('AmdV1Walk', () => {
  const format = new AmdV1Walk(48);
  const READ_WRITE = 0x60000000;
  const LEAF = 0x70000000;

  it('follows next levels, skips included', () => {
    entry(TOP, 0, READ_WRITE, (LOWEST << 12) | (1 << 9) | 1);
    entry(LOWEST, 7, LEAF, 0x99001);
    expect(run(format, 7)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.leafFrames, walk.tableReads]).toEqual([0x99, 1, 2]);
    expect(run(format, 512 + 7)).toBe(WalkOutcome.reservedBit);
  });

  it('decodes sizes from the address of a leaf', () => {
    expect([0x10, 0x11, 0x13, 0x1ff].map(amdV1EncodedFrames)).toEqual([2, 4, 8, 1024]);
    entry(TOP, 0, READ_WRITE, (MIDDLE << 12) | (2 << 9) | 1);
    entry(MIDDLE, 0, READ_WRITE, (LOWEST << 12) | (1 << 9) | 1);
    for (let at = 8; at < 16; at += 1) entry(LOWEST, at, LEAF, 0x103e01);
    expect(run(format, 13)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.leafFrame, walk.leafFrames]).toEqual([0x105, 0x100, 8]);
  });

  it('refuses sizes that do not belong to the level, and misaligned natural leaves', () => {
    entry(TOP, 0, LEAF, 0x40003e01);
    expect(run(format, 0)).toBe(WalkOutcome.reservedBit);
    entry(TOP, 0, LEAF, 0x40000001);
    expect(run(format, 9)).toBe(WalkOutcome.ok);
    expect([walk.frame, walk.leafFrames]).toEqual([0x40009, 262144]);
    entry(TOP, 0, LEAF, 0x40001001);
    expect(run(format, 9)).toBe(WalkOutcome.reservedBit);
    entry(TOP, 0, READ_WRITE, (MIDDLE << 12) | (3 << 9) | 1);
    expect(run(format, 9)).toBe(WalkOutcome.reservedBit);
  });

  it('ANDs IR and IW, and stops where PR is clear', () => {
    entry(TOP, 0, 0x20000000, (LOWEST << 12) | (1 << 9) | 1);
    entry(LOWEST, 7, LEAF, 0x99001);
    expect(run(format, 7, ACCESS_READ)).toBe(WalkOutcome.ok);
    expect(walk.permissions).toBe(ACCESS_READ);
    expect(run(format, 7, ACCESS_WRITE)).toBe(WalkOutcome.denied);
    entry(LOWEST, 7, LEAF, 0x99000);
    expect(run(format, 7, ACCESS_READ)).toBe(WalkOutcome.notPresent);
  });
});
