import { expect, test } from 'vitest';
import { allocIova } from './alloc-iova.ts';
import { allocIovaFast, freeIovaFast } from './alloc-iova-fast.ts';
import { IovaDomain } from './iova-domain.ts';
import { type RecordedIovaState, restoreIovaState } from './recorded-iova-state.ts';

const recorded: RecordedIovaState = {
  ranges: [
    [0xa0, 0xbf],
    [0xfee00, 0xfeeff],
    [0xffff0, 0xffff0],
    [0xffff1, 0xffff1],
    [0xffff8, 0xffff8],
    [0xfffff, 0xfffff],
  ],
  cached: null,
  cached32: 0xffff0,
  max32: 0x40,
  rcache: [
    { cpu: 1, order: 0, depot: 0, loaded: [0xffff1, 0xffff8], prev: [0xfffff] },
    { cpu: 0, order: 3, depot: 0, loaded: [], prev: null },
  ],
};

const fresh = (): IovaDomain => new IovaDomain({ granule: 4096, startPfn: 1, cpus: 2 });

test('a domain goes on where the record began', () => {
  const iovad = fresh();
  restoreIovaState(iovad, recorded);
  expect(iovad.ranges()).toEqual(recorded.ranges);
  expect([iovad.cachedNode, iovad.cached32Node, iovad.max32AllocSize]).toEqual([null, 0xffff0, 0x40]);
  expect([iovad.cachedRanges, iovad.liveRanges]).toEqual([3, 0]);
  expect(iovad.magazineFills(0)[3]).toEqual([0, -1]);
  expect(allocIovaFast(iovad, 1, 0xfffff, false, 1)).toBe(0xffff8);
  expect(allocIovaFast(iovad, 1, 0xfffff, false, 1)).toBe(0xffff1);
  expect(allocIovaFast(iovad, 1, 0xfffff, false, 1)).toBe(0xfffff);
  expect(allocIovaFast(iovad, 1, 0xfffff, false, 1)).toBe(0xfffef);
  expect(allocIova(iovad, 0x40, 0xfffff, true)).toBe(-1);
  expect(iovad.liveRanges).toBe(4);
});

test('a full magazine gives way to a previous one that is partly full', () => {
  const iovad = fresh();
  const pfns = Array.from({ length: 129 }, (_, at) => 0x1000 + at);
  const [first = 0, ...others] = pfns;
  const last = others.pop() ?? 0;
  restoreIovaState(iovad, {
    ranges: pfns.map((pfn) => [pfn, pfn] as const),
    cached: null,
    cached32: 0x1000,
    max32: 0x100000,
    rcache: [{ cpu: 0, order: 0, loaded: others, prev: [first] }],
  });
  freeIovaFast(iovad, last, 1);
  expect(iovad.magazineFills(0)[0]).toEqual([2, 127]);
});

test('what is not the state of a fresh domain is refused', () => {
  const used = fresh();
  allocIova(used, 1, 0xfffff, true);
  expect(() => restoreIovaState(used, recorded)).toThrow('fresh');
  const broken = (change: Partial<RecordedIovaState>): (() => void) => {
    return () => restoreIovaState(fresh(), { ...recorded, ...change });
  };
  expect(broken({ cached: 0xa1 })).toThrow('remembered node');
  expect(
    broken({
      ranges: [
        [1, 5],
        [5, 9],
      ],
    }),
  ).toThrow('overlaps');
  expect(broken({ rcache: [{ cpu: 0, order: 0, loaded: [3], prev: null }] })).toThrow('no range');
  expect(broken({ rcache: [{ cpu: 0, order: 0, loaded: [], prev: null, depot: 1 }] })).toThrow('depot');
  expect(broken({ rcache: [{ cpu: 2, order: 0, loaded: [], prev: null }] })).toThrow('CPU');
  const bare = new IovaDomain({ granule: 4096, startPfn: 1, rcaches: false });
  expect(() => restoreIovaState(bare, recorded)).toThrow('no range caches');
});
