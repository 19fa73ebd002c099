// The allocator against a plain replay of its rules in 64-bit integers over sorted arrays: no index, no shortcut.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocIova, findIova, freeIova, reserveIova } from './alloc-iova.ts';
import { allocIovaFast, freeIovaFast } from './alloc-iova-fast.ts';
import { iovaCpuhpDead, iovaCpuOnline, iovaDepotWorkFunc } from './iova-cpu-hotplug.ts';
import { IovaDomain } from './iova-domain.ts';
import { restoreIovaState } from './recorded-iova-state.ts';

interface Node {
  lo: bigint;
  readonly hi: bigint;
}
interface Magazines {
  loaded: bigint[] | null;
  prev: bigint[] | null;
}

const ALL_ONES = 2n ** 64n - 1n;
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const orderOf = (size: bigint): number => (size <= 1n ? 0 : (size - 1n).toString(2).length);
const pow2up = (size: bigint): bigint => 1n << BigInt(orderOf(size));

class Oracle {
  readonly anchor: Node = { lo: ALL_ONES, hi: ALL_ONES };
  readonly nodes: Node[] = [this.anchor];
  cached: Node = this.anchor;
  cached32: Node = this.anchor;
  max32: bigint;
  readonly cpus: Magazines[][];
  readonly online: boolean[];
  readonly depots: bigint[][][] = Array.from({ length: 6 }, () => []);
  readonly pending: boolean[] = Array.from({ length: 6 }, () => false);
  readonly start: bigint;
  readonly dma32: bigint;

  constructor(start: bigint, shift: number, cpus: number) {
    this.start = start;
    this.dma32 = 1n << BigInt(32 - shift);
    this.max32 = this.dma32;
    this.online = Array.from({ length: cpus }, () => true);
    this.cpus = this.online.map(() => Array.from({ length: 6 }, () => ({ loaded: null, prev: null })));
  }

  successor(node: Node): Node {
    return this.nodes[this.nodes.indexOf(node) + 1] as Node;
  }

  insert(lo: bigint, hi: bigint): Node {
    const node = { lo, hi };
    this.nodes.splice(
      this.nodes.findIndex((other) => other.lo > lo),
      0,
      node,
    );
    return node;
  }

  alloc(size: bigint, limitIncl: bigint, aligned: boolean): bigint {
    const limit = u64(limitIncl + 1n);
    const unit = aligned ? pow2up(size) : 1n;
    let high = limit;
    let low = this.start;
    if (limit <= this.dma32 && size >= this.max32) return -1n;
    const from = limit <= this.dma32 ? this.cached32 : this.cached;
    const retry = from.hi;
    let at = this.nodes.indexOf(from);
    for (;;) {
      let pfn: bigint;
      let cur: Node | undefined;
      do {
        const { lo } = this.nodes[at] as Node;
        if (lo < high) high = lo;
        pfn = u64(high - size);
        pfn -= pfn % unit;
        at -= 1;
        cur = this.nodes[at];
      } while (cur !== undefined && pfn <= cur.hi && pfn >= low);
      if (high < size || pfn < low) {
        if (low === this.start && retry < limit) {
          high = limit;
          low = retry + 1n;
          at = this.nodes.length - 1;
          continue;
        }
        this.max32 = size;
        return -1n;
      }
      const node = this.insert(pfn, pfn + size - 1n);
      if (node.hi < this.dma32) this.cached32 = node;
      else this.cached = node;
      return pfn;
    }
  }

  free(pfn: bigint): boolean {
    const node = this.nodes.find(({ lo, hi }) => lo <= pfn && pfn <= hi);
    if (node === undefined || node === this.anchor) return false;
    const next = this.successor(node);
    if (node === this.cached32 || (node.hi < this.dma32 && node.lo >= this.cached32.lo)) this.cached32 = next;
    if (node.lo < this.dma32) this.max32 = this.dma32;
    if (node.lo >= this.cached.lo) this.cached = next;
    this.nodes.splice(this.nodes.indexOf(node), 1);
    return true;
  }

  reserve(from: bigint, hi: bigint): Node {
    let lo = from;
    let overlapped = false;
    for (const node of this.nodes) {
      if (lo <= node.hi && hi >= node.lo) {
        if (lo < node.lo) node.lo = lo;
        if (hi > node.hi) lo = node.hi + 1n;
        if (lo >= node.lo && hi <= node.hi) return node;
        overlapped = true;
      } else if (overlapped) break;
    }
    return this.insert(lo, hi);
  }

  rcacheGet(size: bigint, limit: bigint, cpu: number): bigint {
    const order = orderOf(size);
    const slot = this.cpus[cpu]?.[order];
    if (slot === undefined) return 0n;
    const most = u64(limit - size);
    const depot = this.depots[order] ?? [];
    if ((slot.loaded?.length ?? 0) === 0) {
      if ((slot.prev?.length ?? 0) > 0) [slot.loaded, slot.prev] = [slot.prev, slot.loaded];
      else if (depot.length > 0) slot.loaded = depot.pop() ?? null;
      else return 0n;
    }
    const magazine = slot.loaded ?? [];
    for (let at = magazine.length - 1; at >= 0; at -= 1) {
      const pfn = magazine[at] as bigint;
      if (pfn > most) continue;
      const top = magazine.pop() as bigint;
      if (at < magazine.length) magazine[at] = top;
      return pfn;
    }
    return 0n;
  }

  rcachePut(pfn: bigint, size: bigint, cpu: number): boolean {
    const order = orderOf(size);
    const slot = this.cpus[cpu]?.[order];
    if (slot === undefined) return false;
    if (slot.loaded === null || slot.loaded.length === 127) {
      if (slot.prev !== null && slot.prev.length < 127) [slot.loaded, slot.prev] = [slot.prev, slot.loaded];
      else {
        if (slot.loaded !== null && slot.prev === null) slot.prev = slot.loaded;
        else if (slot.loaded !== null) {
          this.depots[order]?.push(slot.loaded);
          this.pending[order] = true;
        }
        slot.loaded = [];
      }
    }
    slot.loaded?.push(pfn);
    return true;
  }

  giveBack(magazine: bigint[] | null): void {
    for (const pfn of magazine?.splice(0) ?? []) this.free(pfn);
  }

  drainCpu(cpu: number): void {
    for (const { loaded, prev } of this.cpus[cpu] ?? []) {
      this.giveBack(loaded);
      this.giveBack(prev);
    }
  }

  allocFast(asked: bigint, limitIncl: bigint, flush: boolean, cpu: number): bigint {
    const size = asked < 32n ? pow2up(asked) : asked;
    const cached = this.rcacheGet(size, u64(limitIncl + 1n), cpu);
    if (cached !== 0n) return cached;
    let pfn = this.alloc(size, limitIncl, true);
    if (pfn < 0n && flush) {
      for (const [one, online] of this.online.entries()) if (online) this.drainCpu(one);
      for (const depot of this.depots) while (depot.length > 0) this.giveBack(depot.pop() ?? null);
      pfn = this.alloc(size, limitIncl, true);
    }
    return pfn < 0n ? 0n : pfn;
  }

  work(order: number): boolean {
    if (this.pending[order] !== true) return false;
    this.pending[order] = false;
    const depot = this.depots[order] ?? [];
    if (depot.length > this.online.filter((online) => online).length) {
      this.giveBack(depot.pop() ?? null);
      this.pending[order] = true;
    }
    return true;
  }
}

const cursorOf = (node: Node, oracle: Oracle): number | null =>
  node === oracle.anchor ? null : Number(node.lo);

function compare(iovad: IovaDomain, oracle: Oracle): void {
  const ranges = oracle.nodes.slice(0, -1).map(({ lo, hi }) => `${lo}-${hi}`);
  const got = {
    ranges: iovad.ranges().map(([lo, hi]) => `${lo}-${hi}`),
    cached: iovad.cachedNode,
    cached32: iovad.cached32Node,
    max32: iovad.max32AllocSize,
    depots: iovad.depotSizes(),
    fills: Array.from({ length: iovad.cpus }, (_, cpu) => iovad.magazineFills(cpu)),
    pending: oracle.pending.map((_, order) => iovad.isTrimPending(order)),
  };
  const expected = {
    ranges,
    cached: cursorOf(oracle.cached, oracle),
    cached32: cursorOf(oracle.cached32, oracle),
    max32: Number(oracle.max32),
    depots: oracle.depots.map((depot) => depot.length),
    fills: oracle.cpus.map((classes) =>
      classes.map(({ loaded, prev }) => [loaded?.length ?? -1, prev?.length ?? -1]),
    ),
    pending: oracle.pending,
  };
  if (JSON.stringify(got) !== JSON.stringify(expected)) expect(got).toEqual(expected);
}

type Kind = 'alloc' | 'fast' | 'free' | 'ffast' | 'reserve' | 'find' | 'work' | 'down' | 'up' | 'burst';
interface Op {
  readonly kind: Kind;
  readonly size: number;
  readonly limit: number;
  readonly flag: boolean;
  readonly cpu: number;
  readonly pick: number;
}

interface Shape {
  readonly granuleShift: number;
  readonly start: number;
  /** Inclusive limits that requests choose from. */
  readonly limits: readonly number[];
  readonly largest: number;
}

/** Runs one operation on both and compares what they answer; `live` holds what callers own. */
function perform(op: Op, shape: Shape, iovad: IovaDomain, oracle: Oracle, live: [number, number][]): void {
  const limit = shape.limits[op.limit % shape.limits.length] as number;
  const size = 1 + (op.size % shape.largest);
  const same = (expected: bigint | boolean | number, got: number | boolean): void => {
    if (String(expected) !== String(got)) expect(got, JSON.stringify(op)).toBe(expected);
  };
  const fast = (one: number): void => {
    const pfn = allocIovaFast(iovad, one, limit, op.flag, op.cpu);
    same(oracle.allocFast(BigInt(one), BigInt(limit), op.flag, op.cpu), pfn);
    if (pfn !== 0) live.push([pfn, one]);
  };
  const take = (): [number, number] | undefined => live.splice(op.pick % Math.max(1, live.length), 1)[0];
  const freeFast = (owned: [number, number] | undefined): void => {
    if (owned === undefined) return;
    freeIovaFast(iovad, owned[0], owned[1], op.cpu);
    if (!oracle.rcachePut(BigInt(owned[0]), BigInt(owned[1]), op.cpu)) oracle.free(BigInt(owned[0]));
  };
  if (op.kind === 'alloc') {
    const pfn = allocIova(iovad, size, limit, op.flag);
    same(oracle.alloc(BigInt(size), BigInt(limit), op.flag), pfn);
    if (pfn >= 0) live.push([pfn, size]);
  } else if (op.kind === 'fast') fast(size);
  else if (op.kind === 'free') {
    const pfn = (take()?.[0] ?? op.pick) + (op.flag ? 0 : op.size % 3);
    same(oracle.free(BigInt(pfn)), freeIova(iovad, pfn));
  } else if (op.kind === 'ffast') freeFast(take());
  else if (op.kind === 'reserve') {
    const lo = op.pick % (limit + 1);
    const { lo: first, hi } = oracle.reserve(BigInt(lo), BigInt(lo + size - 1));
    expect(reserveIova(iovad, lo, lo + size - 1)).toEqual([Number(first), Number(hi)]);
  } else if (op.kind === 'find') {
    const node = oracle.nodes.find(({ lo, hi }) => lo <= op.pick && op.pick <= hi);
    const found = node === undefined ? null : [Number(node.lo), Number(node.hi)];
    expect(findIova(iovad, op.pick)).toEqual(found);
  } else if (op.kind === 'work') same(oracle.work(op.size % 6), iovadWork(iovad, op.size % 6));
  else if (op.kind === 'down') {
    iovaCpuhpDead(iovad, op.cpu);
    oracle.online[op.cpu] = false;
    oracle.drainCpu(op.cpu);
  } else if (op.kind === 'up') {
    iovaCpuOnline(iovad, op.cpu);
    oracle.online[op.cpu] = true;
  } else {
    // Enough of one class to fill magazines and reach the depot.
    const before = live.length;
    for (let one = 0; one < 150; one += 1) fast(1 << (op.size % 2));
    if (op.flag) while (live.length > before) freeFast(live.pop());
  }
}

const iovadWork = iovaDepotWorkFunc;

const CPUS = 3;
const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Kind>('alloc', 'fast', 'free', 'ffast') },
    { weight: 2, arbitrary: fc.constantFrom<Kind>('burst', 'ffast', 'fast', 'work') },
    { weight: 1, arbitrary: fc.constantFrom<Kind>('reserve', 'find', 'work', 'down', 'up') },
  ),
  size: fc.integer({ min: 0, max: 1 << 20 }),
  limit: fc.nat(10),
  flag: fc.boolean(),
  cpu: fc.integer({ min: 0, max: CPUS - 1 }),
  pick: fc.nat(1 << 22),
});

const shapes: Readonly<Record<string, Shape>> = {
  'a small full space': { granuleShift: 12, start: 1, limits: [0x1ff, 0xff, 0x2ff, 0xfffff], largest: 40 },
  'both sides of 4 GiB': {
    granuleShift: 12,
    start: 0xfff00,
    limits: [0xfffff, 0x1000ff, 0x1002ff, 0xfff80],
    largest: 70,
  },
  'wide limits and large sizes': {
    granuleShift: 12,
    start: 1,
    limits: [0xfffff, 0xfffffffff, 2 ** 40, 2 ** 52 - 1, 0xffffff],
    largest: 0x40000,
  },
  'granule 512': { granuleShift: 9, start: 77, limits: [0x7fffff, 0x800fff, 0x7fffff - 900], largest: 300 },
  'granule 64 KiB': { granuleShift: 16, start: 1, limits: [0xffff, 0xffffff, 0x3f], largest: 50 },
};

test.each(Object.entries(shapes))('%s: every answer and the whole state, after every step', (_, shape) => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 120, size: 'max' }), (ops) => {
      const granule = 2 ** shape.granuleShift;
      const iovad = new IovaDomain({ granule, pageSize: 65536, startPfn: shape.start, cpus: CPUS });
      const oracle = new Oracle(BigInt(shape.start), shape.granuleShift, CPUS);
      const live: [number, number][] = [];
      for (const one of ops) {
        perform(one, shape, iovad, oracle, live);
        compare(iovad, oracle);
      }
    }),
    { numRuns: 40 },
  );
});

test('a state restored half-way goes on as the original does', () => {
  const shape = shapes['a small full space'] as Shape;
  const treeOp = op.filter(({ kind }) => ['alloc', 'fast', 'ffast', 'reserve', 'find'].includes(kind));
  fc.assert(
    fc.property(fc.array(treeOp, { maxLength: 60 }), fc.array(treeOp, { maxLength: 60 }), (before, after) => {
      const make = (): IovaDomain => new IovaDomain({ granule: 4096, startPfn: shape.start, cpus: CPUS });
      const original = make();
      const oracle = new Oracle(BigInt(shape.start), 12, CPUS);
      const live: [number, number][] = [];
      for (const one of before) perform(one, shape, original, oracle, live);
      const copy = make();
      restoreIovaState(copy, {
        ranges: original.ranges(),
        cached: original.cachedNode,
        cached32: original.cached32Node,
        max32: original.max32AllocSize,
        rcache: oracle.cpus.flatMap((classes, cpu) =>
          classes.map(({ loaded, prev }, order) => ({
            cpu,
            order,
            loaded: loaded?.map(Number) ?? null,
            prev: prev?.map(Number) ?? null,
          })),
        ),
      });
      for (const one of after) {
        perform(one, shape, copy, oracle, live);
        compare(copy, oracle);
      }
    }),
    { numRuns: 60 },
  );
});
