import { Clock } from '@sgfree/hw-model';
import { DmaApiViolation } from '@sgfree/mm';
import { describe, expect, test } from 'vitest';
import { allocIova, findIova, freeIova, reserveIova } from './alloc-iova.ts';
import { allocIovaFast, freeIovaFast, iovaRcacheRange } from './alloc-iova-fast.ts';
import { iovaCpuhpDead, iovaCpuOnline, iovaDepotWorkFunc, putIovaDomain } from './iova-cpu-hotplug.ts';
import { IovaDomain } from './iova-domain.ts';

const domain = (startPfn = 1): IovaDomain => new IovaDomain({ granule: 4096, startPfn });

/** Runs the steps of an appendix vector: all numbers hexadecimal. */
function run(iovad: IovaDomain, text: string): void {
  for (const step of text.split('|').map((part) => part.trim())) {
    const [call = '', outcome] = step.split('->').map((part) => part.trim());
    const [op, ...words] = call.split(' ');
    const [a = 0, b = 0, c = 0] = words.map((word) => Number.parseInt(word, 16));
    let got = '';
    if (op === 'a') got = allocIovaFast(iovad, a, b, c === 1).toString(16);
    else if (op === 'A') got = allocIova(iovad, a, b, c === 1).toString(16);
    else if (op === 'f') freeIovaFast(iovad, a, b);
    else if (op === 'F') freeIova(iovad, a);
    else got = (reserveIova(iovad, a, b) ?? []).map((frame) => frame.toString(16)).join('-');
    if (outcome !== undefined)
      expect(got, step).toBe(outcome === 'fail' ? (op === 'a' ? '0' : '-1') : outcome);
  }
}

const rangeText = (iovad: IovaDomain): string =>
  iovad
    .ranges()
    .map(([lo, hi]) => `${lo.toString(16)}-${hi.toString(16)}`)
    .join(' ');

describe('vectors of the compiled kernel code', () => {
  test('A1: 32-bit and 64-bit searches, the cache, and a hole above the remembered node', () => {
    const iovad = domain();
    run(
      iovad,
      'R fee00 feeff -> fee00-feeff | a 1 fffff 1 -> fffff | a 2 fffff 1 -> ffffc | a 3 fffff 1 -> ffff8',
    );
    expect(findIova(iovad, 0xffff8)).toEqual([0xffff8, 0xffffb]);
    run(iovad, 'a 21 fffff 1 -> fffc0 | a 1 fffffffff 1 -> fffffffff | a 200 fffffffff 1 -> ffffffc00');
    expect(findIova(iovad, 0xfffe0)).toEqual([0xfffc0, 0xfffe0]);
    expect([iovad.cachedNode, iovad.cached32Node, iovad.max32AllocSize]).toEqual([
      0xffffffc00, 0xfffc0, 0x100000,
    ]);
    run(iovad, 'f fffff 1 | f ffff8 3 | a 4 fffff 1 -> ffff8 | a 1 ffffe 1 -> fffbf | a 1 fffff 1 -> fffff');
    run(iovad, 'A 1000 fffff 1 -> fd000 | A 1000 fffff 1 -> fc000');
  });

  test('A2: freeing at or above the remembered node moves it up', () => {
    const iovad = domain();
    run(iovad, 'A 1 fffff 1 -> fffff | A 1 fffff 1 -> ffffe | A 1 fffff 1 -> ffffd | A 4 fffff 1 -> ffff8');
    run(iovad, 'F ffffe | A 1 ffffe 1 -> ffffe | F fffff | A 1 fffff 1 -> fffff');
    expect(iovad.cached32Node).toBe(0xfffff);
  });

  test('A3: a small limit', () => {
    const iovad = domain();
    run(iovad, 'a 1 20 0 -> 20 | a 1 20 0 -> 1f | a 8 20 0 -> 10 | a 10 20 0 -> fail');
    expect(iovad.max32AllocSize).toBe(0x10);
    run(iovad, 'a 8 20 0 -> 8 | A 4 20 1 -> 4');
    expect(findIova(iovad, 7)).toEqual([4, 7]);
  });

  test('A4: a failure blocks 32-bit requests until something below 4 GiB is freed', () => {
    const iovad = domain(0xfff00);
    run(iovad, 'A 80 fffff 1 -> fff80 | A 80 fffff 1 -> fff00 | A 1 fffff 1 -> fail');
    expect([iovad.max32AllocSize, iovad.cached32Node]).toEqual([1, 0xfff00]);
    run(iovad, 'A 1 fffff 1 -> fail | F fff80');
    expect(iovad.max32AllocSize).toBe(0x100000);
    run(iovad, 'A 81 fffff 1 -> fail');
    expect(iovad.max32AllocSize).toBe(0x81);
    run(iovad, 'A 80 fffff 0 -> fff80');
  });

  test('A5: reservations grow ranges and never join them', () => {
    const iovad = domain();
    run(iovad, 'R 100 1ff -> 100-1ff | R 180 2ff -> 200-2ff | R 80 400 -> 300-400 | R 500 5ff -> 500-5ff');
    run(iovad, 'R 4f0 510 -> 4f0-5ff');
    expect(rangeText(iovad)).toBe('80-1ff 200-2ff 300-400 4f0-5ff');
    expect([iovad.cachedNode, iovad.cached32Node]).toEqual([null, null]);
    expect(iovad.liveRanges).toBe(0);
  });
});

describe('where the kernel arithmetic wraps', () => {
  test('a limit of 2^64-1 has the exclusive form 0: the tree refuses, any cached frame qualifies', () => {
    const iovad = domain();
    expect(allocIova(iovad, 5, 2 ** 64, true)).toBe(-1);
    expect(iovad.max32AllocSize).toBe(5);
    const pfn = allocIovaFast(iovad, 1, 0xfffffffff, true);
    freeIovaFast(iovad, pfn, 1);
    expect(allocIovaFast(iovad, 1, 2 ** 64, true)).toBe(pfn);
  });

  test('a cached request whose limit is below its size takes a frame above the limit', () => {
    const iovad = domain();
    const pfn = allocIovaFast(iovad, 32, 0xfffff, false);
    freeIovaFast(iovad, pfn, 32);
    expect(allocIovaFast(iovad, 32, 30, false)).toBe(pfn);
    expect(allocIovaFast(iovad, 32, 30, false)).toBe(0);
  });

  test('limits whose frames are no exact doubles are refused, those below are exact', () => {
    const iovad = new IovaDomain({ granule: 512, startPfn: 1 });
    expect(() => allocIova(iovad, 1, 2 ** 54, true)).toThrow(
      expect.objectContaining({ rule: 'iova-frame-range' }),
    );
    expect(allocIova(iovad, 1, 2 ** 53 - 1, true)).toBe(2 ** 53 - 1);
    expect(allocIova(iovad, 3, 2 ** 53 - 1, true)).toBe(2 ** 53 - 4);
  });
});

describe('misuse', () => {
  test.each([[0], [3000], [8192], [2 ** 33]])('granule %d is refused', (granule) => {
    expect(() => new IovaDomain({ granule, startPfn: 1 })).toThrow(DmaApiViolation);
  });

  test('a large granule is fine on a CPU with large pages', () => {
    const iovad = new IovaDomain({ granule: 65536, startPfn: 1, pageSize: 65536 });
    expect([iovad.shift, iovad.dma32BitPfn]).toEqual([16, 65536]);
  });

  test('empty requests, the anchor and inverted reservations are refused by rule', () => {
    const iovad = domain();
    const rule = (code: string): unknown => expect.objectContaining({ rule: code });
    expect(() => allocIova(iovad, 0, 100, true)).toThrow(rule('iova-size'));
    expect(() => allocIovaFast(iovad, 0, 100, true)).toThrow(rule('iova-size'));
    expect(() => freeIova(iovad, 2 ** 64)).toThrow(rule('iova-anchor'));
    expect(() => reserveIova(iovad, 9, 8)).toThrow(rule('iova-reserve-order'));
    expect(() => allocIovaFast(iovad, 1, 100, true, 7)).toThrow();
    expect(iovad.rangeCount).toBe(0);
  });

  test('a reservation beyond 2^64 bytes is refused with a warning', () => {
    const iovad = domain();
    expect(reserveIova(iovad, 1, 2 ** 52)).toBeNull();
    expect(iovad.warnings).toBe(1);
    expect(reserveIova(iovad, 2 ** 52 - 4, 2 ** 52 - 1)).toEqual([2 ** 52 - 4, 2 ** 52 - 1]);
  });

  test('an unknown frame is in no range', () => {
    const iovad = domain();
    expect(freeIova(iovad, 77)).toBe(false);
    expect(findIova(iovad, 77)).toBeNull();
  });
});

describe('remembered nodes and blocked sizes', () => {
  test('a range across 4 GiB unblocks 32-bit requests and moves the 64-bit node only', () => {
    const iovad = domain(0xfff00);
    const across = allocIova(iovad, 0x100, 0x10007f, false);
    expect(findIova(iovad, across)).toEqual([0xfff80, 0x10007f]);
    expect([iovad.cachedNode, iovad.cached32Node]).toEqual([0xfff80, null]);
    expect(allocIova(iovad, 0x100, 0xfffff, true)).toBe(-1);
    expect(iovad.max32AllocSize).toBe(0x100);
    freeIova(iovad, across);
    expect([iovad.max32AllocSize, iovad.cachedNode]).toEqual([0x100000, null]);
  });

  test('a remembered node that grows down stays the remembered node', () => {
    const iovad = domain();
    expect(allocIova(iovad, 16, 0xfffffffff, true)).toBe(0xffffffff0);
    expect(reserveIova(iovad, 0xfffffff00, 0xffffffff8)).toEqual([0xfffffff00, 0xfffffffff]);
    expect(iovad.cachedNode).toBe(0xfffffff00);
    expect(allocIova(iovad, 1, 0xfffffffff, true)).toBe(0xffffffeff);
    expect(iovad.liveRanges).toBe(2);
  });
});

describe('range caches', () => {
  /** Allocates `count` single frames and frees them again in order of allocation. */
  function cycle(iovad: IovaDomain, count: number, cpu = 0): void {
    const pfns = Array.from({ length: count }, () => allocIovaFast(iovad, 1, 0xfffff, true, cpu));
    for (const pfn of pfns) freeIovaFast(iovad, pfn, 1, cpu);
  }

  test('magazines fill, and full ones go to the depot', () => {
    const iovad = domain();
    cycle(iovad, 127);
    expect(iovad.magazineFills(0)[0]).toEqual([127, -1]);
    cycle(iovad, 128);
    expect(iovad.magazineFills(0)[0]).toEqual([1, 127]);
    cycle(iovad, 127 * 4 + 5);
    expect(iovad.magazineFills(0)[0]).toEqual([5, 127]);
    expect(iovad.depotSizes()).toEqual([3, 0, 0, 0, 0, 0]);
    expect(iovad.cachedRanges).toBe(127 * 4 + 5);
    expect(iovad.rangeCount).toBe(127 * 4 + 5);
    expect(iovad.liveRanges).toBe(0);
    expect(iovad.allocations).toBe(127 + 128 + 127 * 4 + 5);
    expect(iovad.cacheHits).toBe(127 + 128);
  });

  test('frames come back from the loaded magazine, the first one filled, then the depot, each newest first', () => {
    const iovad = domain();
    const pfns = Array.from({ length: 127 * 5 + 9 }, () => allocIovaFast(iovad, 1, 0xfffff, true));
    for (const pfn of pfns) freeIovaFast(iovad, pfn, 1);
    expect(iovad.depotSizes()[0]).toBe(4);
    const again = pfns.map(() => allocIovaFast(iovad, 1, 0xfffff, true));
    const newestFirst = (from: number, to: number): number[] => pfns.slice(from, to).reverse();
    expect(again).toEqual([...newestFirst(635, 644), ...newestFirst(0, 127), ...newestFirst(127, 635)]);
    expect(iovad.depotSizes()[0]).toBe(0);
  });

  test('size 0 is cached as one frame, whatever the CPU; frame 0 is taken out again as a miss, or drained with a warning', () => {
    const iovad = new IovaDomain({ granule: 4096, startPfn: 1, cpus: 8 });
    for (const cpu of [0, 7]) {
      freeIovaFast(iovad, 0, 0, cpu);
      expect(iovad.magazineFills(cpu)).toEqual([[1, -1], ...new Array<number[]>(5).fill([-1, -1])]);
    }
    expect(allocIovaFast(iovad, 1, 0xfffff, true, 7).toString(16)).toBe('fffff');
    expect([iovad.cacheHits, iovad.magazineFills(7)[0]]).toEqual([0, [0, -1]]);
    allocIovaFast(iovad, 1, 0, true);
    expect([iovad.magazineFills(0)[0], iovad.warnings]).toEqual([[0, -1], 0]);
    freeIovaFast(iovad, 0, 0);
    allocIovaFast(iovad, 64, 32, true);
    expect([iovad.magazineFills(0)[0], iovad.warnings]).toEqual([[0, -1], 1]);
  });

  test('a depot is trimmed every 100 ms down to the CPUs online', () => {
    const clock = new Clock();
    const seen: number[][] = [];
    const iovad = new IovaDomain({
      granule: 4096,
      startPfn: 1,
      cpus: 2,
      clock,
      onDepotWork: (order, depotSize) => seen.push([clock.nowMs, order, depotSize]),
    });
    clock.advanceMs(7);
    cycle(iovad, 127 * 6 + 1);
    expect(iovad.depotSizes()[0]).toBe(5);
    clock.advanceMs(1000);
    expect(seen).toEqual([
      [107, 0, 4],
      [207, 0, 3],
      [307, 0, 2],
      [407, 0, 2],
    ]);
    expect(iovad.isTrimPending(0)).toBe(false);
    expect(iovad.rangeCount).toBe(127 * 3 + 1);
    expect(iovad.warnings).toBe(0);
  });

  test('without a clock trim work waits to be run; run by hand it does not fire again', () => {
    const iovad = domain();
    cycle(iovad, 127 * 4 + 1);
    expect(iovadWork(iovad)).toEqual([true, 2, true]);
    expect(iovadWork(iovad)).toEqual([true, 1, true]);
    expect(iovadWork(iovad)).toEqual([true, 1, false]);
    expect(iovadWork(iovad)).toEqual([false, 1, false]);
  });

  function iovadWork(iovad: IovaDomain): unknown[] {
    return [iovaDepotWorkFunc(iovad, 0), iovad.depotSizes()[0], iovad.isTrimPending(0)];
  }

  test('work that is run by hand is not run again by the clock', () => {
    const clock = new Clock();
    const iovad = new IovaDomain({ granule: 4096, startPfn: 1, clock });
    cycle(iovad, 127 * 3 + 1);
    expect(iovadWork(iovad)).toEqual([true, 1, true]);
    clock.advanceMs(99);
    putIovaDomain(iovad);
    clock.advanceMs(500);
    expect(iovad.depotSizes()[0]).toBe(0);
    expect(iovad.rangeCount).toBe(127 * 2 + 1);
  });

  test('a CPU that leaves returns its ranges; the other keeps its own', () => {
    const iovad = new IovaDomain({ granule: 4096, startPfn: 1, cpus: 2 });
    cycle(iovad, 10, 0);
    cycle(iovad, 5, 1);
    expect(iovad.rangeCount).toBe(15);
    iovaCpuhpDead(iovad, 1);
    expect([iovad.rangeCount, iovad.onlineCpus, iovad.cachedRanges]).toEqual([10, 1, 10]);
    expect(iovad.magazineFills(1)[0]).toEqual([0, -1]);
    iovaCpuOnline(iovad, 1);
    expect(iovad.onlineCpus).toBe(2);
  });

  test('a failing request empties the caches and tries once more', () => {
    const iovad = domain(0x10);
    const pfns = Array.from({ length: 16 }, () => allocIovaFast(iovad, 1, 0x1f, false));
    for (const pfn of pfns) freeIovaFast(iovad, pfn, 1);
    expect(allocIovaFast(iovad, 16, 0x1f, false)).toBe(0);
    expect(iovad.rangeCount).toBe(16);
    expect(allocIovaFast(iovad, 16, 0x1f, true)).toBe(0x10);
    expect([iovad.rangeCount, iovad.flushedRanges]).toEqual([1, 16]);
  });

  test('without memory for a magazine the range goes back to the tree', () => {
    let left = 0;
    const allocateMagazine = (): boolean => {
      left -= 1;
      return left >= 0;
    };
    for (let allowed = 0; allowed <= 4; allowed += 1) {
      left = allowed;
      const iovad = new IovaDomain({ granule: 4096, startPfn: 1, allocateMagazine });
      cycle(iovad, 127 * 4 + 1);
      expect(iovad.cachedRanges).toBe(Math.min(allowed * 127, 127 * 4));
      expect(iovad.rangeCount).toBe(iovad.cachedRanges);
      expect(iovad.liveRanges).toBe(0);
    }
  });

  test('without caches everything goes to the tree', () => {
    const iovad = new IovaDomain({ granule: 4096, startPfn: 1, rcaches: false });
    expect(allocIovaFast(iovad, 3, 0xfffff, true)).toBe(0xffffc);
    freeIovaFast(iovad, 0xffffc, 3);
    expect([iovad.rangeCount, iovad.cachedRanges, iovad.cacheHits]).toEqual([0, 0, 0]);
    expect(iovad.magazineFills(0)).toEqual(new Array(6).fill([-1, -1]));
    expect(iovaDepotWorkFunc(iovad, 0)).toBe(false);
  });

  test('a cached range that someone freed behind its back is warned about', () => {
    const iovad = domain();
    const pfn = allocIovaFast(iovad, 1, 0xfffff, true);
    freeIovaFast(iovad, pfn, 1);
    freeIova(iovad, pfn);
    iovaCpuhpDead(iovad, 0);
    expect(iovad.warnings).toBe(1);
  });

  test('the largest cached range is 128 KiB', () => {
    expect(iovaRcacheRange()).toBe(131072);
  });
});

test('live ranges are those of callers: reserved, grown and cached ones do not count', () => {
  const iovad = domain();
  reserveIova(iovad, 0x100, 0x1ff);
  reserveIova(iovad, 0x80, 0x17f);
  const kept = allocIova(iovad, 4, 0xfffff, true);
  const cached = allocIovaFast(iovad, 2, 0xfffff, true);
  freeIovaFast(iovad, cached, 2);
  expect([iovad.rangeCount, iovad.liveRanges]).toEqual([3, 1]);
  freeIova(iovad, 0x1a0);
  expect([iovad.rangeCount, iovad.liveRanges]).toEqual([2, 1]);
  freeIova(iovad, kept);
  expect(iovad.liveRanges).toBe(0);
});
