// Stage 0 and stage 1 under the same random sequence, with table pages running out now and then. After every step the
// whole page table holds the live mappings padded to pages and nothing else, the hardware reaches every byte that was
// handed out and none that was taken back; at the end nothing is left.

import { fc, test } from '@fast-check/vitest';
import { type DmaDataDirection, dmaGetMergeBoundary } from '@sgfree/dma-core';
import {
  addOffset,
  byteDistance,
  type DmaAddr,
  dmaOfFrame,
  frameOf,
  hex,
  offsetWithin,
  PAGE_SIZE,
  physAddr,
} from '@sgfree/hw-model';
import { iommuDomainFree } from '@sgfree/iommu';
import type { FrameAllocator } from '@sgfree/mm';
import { describe, expect } from 'vitest';
import {
  coalesces,
  equivalenceMachine,
  type HandedOut,
  type LiveMapping,
  type MemoryRange,
  type StageSide,
} from './stage-equivalence-side.ts';

interface MapStep {
  readonly ranges: readonly MemoryRange[];
  readonly dir: DmaDataDirection;
  /** Table pages that can still be had in this step; -1 = any number. */
  readonly tablePages: number;
}
/** Maps, or undoes the live mapping that a number picks. */
type Step = MapStep | number;

const PERMISSIONS: Readonly<Record<DmaDataDirection, number>> = {
  'to-device': 1,
  'from-device': 2,
  bidirectional: 3,
  none: 0,
};

/** Frames around 2 MiB alignment, so that large pages occur. */
const frames = fc.oneof(
  fc.integer({ min: 0x100, max: 0x8000 }),
  fc.integer({ min: 1, max: 40 }).map((at) => at * 512),
  fc.integer({ min: 2 ** 20, max: 2 ** 24 }),
);
const pageCounts = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(511, 512, 513) },
);
const wholePages = fc
  .tuple(frames, pageCounts)
  .map(([frame, pages]): MemoryRange => ({ phys: physAddr(frame * PAGE_SIZE), bytes: pages * PAGE_SIZE }));
const anyRange = fc
  .tuple(frames, fc.integer({ min: 0, max: 4095 }), fc.integer({ min: 1, max: 30_000 }))
  .map(([frame, offset, bytes]): MemoryRange => ({ phys: physAddr(frame * PAGE_SIZE + offset), bytes }));

/** A list whose first range may start and whose last may end within a page. */
const coalescible = fc
  .tuple(fc.array(wholePages, { minLength: 1, maxLength: 10 }), fc.nat(4095), fc.nat(4095))
  .map(([ranges, skipped, cut]) =>
    ranges.map(({ phys, bytes }, at): MemoryRange => {
      const head = at === 0 ? skipped : 0;
      const tail = at === ranges.length - 1 && bytes - head > cut ? cut : 0;
      return { phys: addOffset(phys, head), bytes: bytes - head - tail };
    }),
  );
const gapped = fc.array(anyRange, { minLength: 1, maxLength: 10 });

const steps = (ranges: fc.Arbitrary<MemoryRange[]>): fc.Arbitrary<Step[]> =>
  fc.array(fc.oneof({ weight: 3, arbitrary: mapStep(ranges) }, { weight: 2, arbitrary: fc.nat(1000) }), {
    minLength: 1,
    maxLength: 40,
  });
const mapStep = (ranges: fc.Arbitrary<MemoryRange[]>): fc.Arbitrary<MapStep> =>
  fc.record({
    ranges,
    dir: fc.constantFrom<DmaDataDirection>('to-device', 'from-device', 'bidirectional'),
    tablePages: fc.oneof({ weight: 5, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(4) }),
  });

/** Page of the device to page of memory times 4 plus permissions. */
type PageView = Map<number, number>;

/** The whole page table, large pages spread out. */
function leavesOf({ domain }: StageSide): PageView {
  const view: PageView = new Map();
  domain.table.visitLeaves((frame, low, _high, level, _items, physFrame) => {
    for (let page = 0; page < 512 ** level; page += 1)
      view.set(frame + page, (physFrame + page) * 4 + (low & 3));
  });
  return view;
}

/** What the live mappings call for. */
function wantedOf(live: readonly LiveMapping[]): PageView {
  const view: PageView = new Map();
  for (const { pieces, dir } of live) {
    for (const { address, phys, bytes } of pieces) {
      const first = frameOf(address);
      const last = frameOf(addOffset(address, bytes - 1));
      for (let page = first; page <= last; page += 1) {
        view.set(page, (frameOf(phys) + page - first) * 4 + PERMISSIONS[dir]);
      }
    }
  }
  return view;
}

/** A page in which two views differ, or null. */
function difference(view: PageView, other: PageView): string | null {
  for (const [page, target] of view) {
    if (other.get(page) !== target) return `page ${page}: ${target} and ${other.get(page)}`;
  }
  return view.size === other.size ? null : `${view.size} and ${other.size} pages`;
}

function* accesses({ address, bytes }: HandedOut): Generator<DmaAddr> {
  const last = addOffset(address, bytes - 1);
  yield address;
  for (let page = frameOf(address) + 1; page <= frameOf(last); page += 1) yield dmaOfFrame(page);
  yield last;
}

/** An access that the unit, by walking the tables or from its caches, answers wrongly; null = none. */
function wrongAccess(side: StageSide, { pieces, dir }: LiveMapping): string | null {
  for (const piece of pieces) {
    for (const address of accesses(piece)) {
      const phys = addOffset(piece.phys, byteDistance(piece.address, address));
      const read = side.translate(address, false) === (dir === 'from-device' ? -1 : phys);
      const write = side.translate(address, true) === (dir === 'to-device' ? -1 : phys);
      if (!read || !write) return hex(address);
    }
  }
  return null;
}

/** An address that was taken back and is still answered; null = none. */
function staleAccess(side: StageSide, gone: LiveMapping, live: readonly LiveMapping[]): string | null {
  const stillThere = wantedOf(live);
  for (const piece of gone.pieces) {
    for (const address of accesses(piece)) {
      if (stillThere.has(frameOf(address))) continue;
      if (side.translate(address, gone.dir !== 'to-device') !== -1) return hex(address);
    }
  }
  return null;
}

/** One side of a run with its live mappings; checks itself after every step. */
class SideRun {
  readonly side: StageSide;
  readonly #frames: FrameAllocator;
  readonly #live: LiveMapping[] = [];

  constructor(side: StageSide, frames: FrameAllocator) {
    this.side = side;
    this.#frames = frames;
  }

  step(step: Step): void {
    if (typeof step === 'number') this.#undo(step);
    else this.#map(step);
    expect(difference(leavesOf(this.side), wantedOf(this.#live))).toBeNull();
    expect(this.side.liveRanges()).toBe(this.#live.reduce((sum, { ranges }) => sum + ranges, 0));
  }

  tearDown(): void {
    for (const mapping of this.#live) expect(wrongAccess(this.side, mapping)).toBeNull();
    while (this.#live.length > 0) this.step(0);
    expect(this.side.domain.table.liveLeafEntries).toBe(0);
    expect(this.side.liveRanges()).toBe(0);
  }

  #map({ ranges, dir, tablePages }: MapStep): void {
    this.#frames.failAfter = tablePages;
    const mapping = this.side.map(ranges, dir);
    this.#frames.failAfter = -1;
    if (mapping === null) {
      expect(tablePages).not.toBe(-1);
      return;
    }
    this.#live.push(mapping);
    expect(wrongAccess(this.side, mapping)).toBeNull();
  }

  #undo(pick: number): void {
    if (this.#live.length === 0) return;
    const [gone] = this.#live.splice(pick % this.#live.length, 1) as [LiveMapping];
    gone.undo();
    expect(staleAccess(this.side, gone, this.#live)).toBeNull();
  }
}

describe('the page table after every step', () => {
  test.prop([steps(fc.oneof(coalescible, gapped)), fc.constantFrom<0 | 1>(0, 1)], { numRuns: 60 })(
    'is the live set padded to pages, also when table pages run out',
    (sequence, stage) => {
      const machine = equivalenceMachine();
      const side = machine.side(stage);
      const run = new SideRun(side, machine.frames);
      for (const step of sequence) run.step(step);
      run.tearDown();
      machine.iommu.detachDevice(side.dev.requesterId);
      const { liveTables } = side.domain.table;
      const pages = machine.frames.liveFrames;
      iommuDomainFree(side.domain);
      expect(machine.frames.liveFrames).toBe(pages - liveTables);
      // What the unit keeps: its root table, its queue, and the context table of the device's bus.
      expect(machine.frames.liveFrames).toBe(machine.pagesAtStart + 1);
    },
  );

  test.prop([steps(coalescible)], { numRuns: 40 })(
    'is the same at both stages when no list has gaps',
    (sequence) => {
      const machine = equivalenceMachine();
      const runs = ([0, 1] as const).map((stage) => new SideRun(machine.side(stage), machine.frames));
      for (const step of sequence) {
        for (const run of runs) run.step(typeof step === 'number' ? step : { ...step, tablePages: -1 });
        const [list, twoStep] = runs.map(({ side }) => leavesOf(side)) as [PageView, PageView];
        expect(difference(list, twoStep)).toBeNull();
      }
      for (const run of runs) run.tearDown();
    },
  );

  test.prop([coalescible, gapped])('the lists are what they are called', (whole, anything) => {
    const { side } = equivalenceMachine();
    const boundary = dmaGetMergeBoundary(side(1).dev);
    expect(boundary).toBe(PAGE_SIZE - 1);
    expect(coalesces(whole, boundary)).toBe(true);
    const junctions = anything.slice(1).flatMap(({ phys }, at) => {
      const before = anything[at] as MemoryRange;
      return [phys, addOffset(before.phys, before.bytes)];
    });
    expect(coalesces(anything, boundary)).toBe(junctions.every((at) => offsetWithin(at, PAGE_SIZE) === 0));
  });
});
