import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestAlignedFit } from './natural-alignment.ts';
import { IOVA_ANCHOR, RangeIndex } from './range-index.ts';
import { SLOT_BITS } from './range-nodes.ts';

type Range = [lo: number, hi: number];

/** A plain comparison: these tests make millions of them. */
function same(what: string, expected: unknown, got: unknown): void {
  if (!Object.is(expected, got)) throw new Error(`${what}: expected ${String(expected)}, got ${String(got)}`);
}

const START = 5;

function listed(index: RangeIndex): Range[] {
  const ranges: Range[] = [];
  index.forEach((lo, hi) => {
    ranges.push([lo, hi]);
  });
  return ranges;
}

/** Checks a subtree against what it stands for; answers its ranges from high to low with their fits and gaps. */
function audit(index: RangeIndex, node: number): { low: number; fit: number; gap: number } {
  const { nodes } = index;
  let low = Number.POSITIVE_INFINITY;
  let fit = 0;
  let gap = 0;
  const count = nodes.count[node] as number;
  same('slots in use', true, count > 0);
  for (let at = node << SLOT_BITS; at < (node << SLOT_BITS) + count; at += 1) {
    const child = nodes.last[at] as number;
    if (nodes.level[node] === 0) {
      const below = nodes.nextBelow(at);
      const first = Math.max(START, below < 0 ? 0 : (nodes.last[below] as number) + 1);
      same('first free frame', first, nodes.under[at]);
      const heldAtZero = nodes.low[at] === IOVA_ANCHOR || below < 0;
      same('fit', heldAtZero ? 0 : largestAlignedFit(first, nodes.low[at] as number), nodes.fit[at]);
      gap = Math.max(gap, (nodes.low[at] as number) - first);
    } else {
      same('parent slot', at, nodes.parentSlot[child]);
      same('level', (nodes.level[node] as number) - 1, nodes.level[child]);
      const inside = audit(index, child);
      same('largest fit', inside.fit, nodes.fit[at]);
      if (nodes.tracksLongest) same('longest gap', inside.gap, nodes.under[at]);
      same('cover', true, (nodes.low[at] as number) <= inside.low);
      same('order of children', true, (nodes.low[at] as number) < low);
      gap = Math.max(gap, inside.gap);
    }
    same('order', true, (nodes.low[at] as number) < low);
    low = nodes.low[at] as number;
    fit = Math.max(fit, nodes.fit[at] as number);
  }
  return { low, fit, gap };
}

function firstFit(ranges: readonly Range[], from: number, size: number, aligned: boolean): number {
  for (let at = from; at >= 0; at -= 1) {
    const first = Math.max(START, (ranges[at - 1]?.[1] ?? 0) + 1);
    const end = ranges[at]?.[0] ?? 0;
    const room = aligned ? largestAlignedFit(first, end) : end - first;
    if (room >= size) return end;
  }
  return -1;
}

interface Step {
  readonly at: number;
  readonly length: number;
  readonly remove: boolean;
}

const step = fc.record({
  at: fc.integer({ min: 0, max: 6000 }),
  length: fc.integer({ min: 1, max: 40 }),
  remove: fc.boolean(),
});

function apply(index: RangeIndex, model: Range[], { at, length, remove }: Step): void {
  const found = index.containing(at);
  same('free', !model.some(([lo, hi]) => lo <= at && at <= hi), found < 0);
  if (found < 0) {
    const above = index.reaching(at);
    const hi = Math.min(at + length - 1, (index.nodes.low[above] as number) - 1);
    index.insertBelow(above, at, hi);
    model.push([at, hi]);
    model.sort((left, right) => left[0] - right[0]);
  } else if (remove) {
    const where = model.findIndex(([, hi]) => hi >= at);
    const above = index.nodes.nextAbove(found);
    model.splice(where, 1);
    same('successor', model[where]?.[0] ?? IOVA_ANCHOR, index.nodes.low[above]);
    index.remove(found, above, index.nodes.low[above] as number);
  } else {
    const where = model.findIndex(([, hi]) => hi >= at);
    const range = model[where] as Range;
    range[0] = Math.max(range[0] - length, (model[where - 1]?.[1] ?? -1) + 1);
    index.growDown(found, range[0]);
  }
}

function compareLookups(index: RangeIndex, model: readonly Range[], { at, length }: Step): void {
  const where = model.findIndex(([, hi]) => hi >= at);
  const { low } = index.nodes;
  same('reaching', model[where]?.[0] ?? IOVA_ANCHOR, low[index.reaching(at)]);
  if (where < 0) return;
  const from = index.positionOf(model[where]?.[0] ?? -1, index.touched);
  same('position', model[where]?.[0], low[from]);
  const aligned = index.firstAlignedFit(from, length);
  same('first aligned fit', firstFit(model, where, length, true), aligned < 0 ? -1 : low[aligned]);
  if (!index.nodes.tracksLongest && length % 8 !== 0) return;
  const long = index.firstLongGap(from, length);
  same('first long gap', firstFit(model, where, length, false), long < 0 ? -1 : low[long]);
}

test('insertions, removals and growth keep every maximum true, and look-ups agree with a sorted array', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 900, size: 'max' }), (steps) => {
      const index = new RangeIndex(START);
      const model: Range[] = [];
      for (const [count, one] of steps.entries()) {
        apply(index, model, one);
        compareLookups(index, model, one);
        if (count % 16 === 0) audit(index, index.nodes.root);
      }
      audit(index, index.nodes.root);
      expect(listed(index)).toEqual(model);
      expect(index.size).toBe(model.length);
    }),
    { numRuns: 60 },
  );
});

test.each(['lowest first', 'highest first', 'middle first'])('filling and draining, %s', (order) => {
  const index = new RangeIndex(START);
  for (let at = 1500; at > 0; at -= 1) index.insertBelow(index.reaching(at * 3), at * 3, at * 3 + 1);
  audit(index, index.nodes.root);
  while (index.size > 0) {
    const ranges = listed(index);
    const slot = order === 'lowest first' ? 0 : order === 'highest first' ? index.size - 1 : index.size >> 1;
    const found = index.containing(ranges[slot]?.[0] ?? -1);
    const above = index.nodes.nextAbove(found);
    index.remove(found, above, index.nodes.low[above] as number);
    if (index.size % 97 === 0) audit(index, index.nodes.root);
  }
  expect(index.nodes.level[index.nodes.root]).toBe(0);
  expect(index.nodes.low[index.nodes.lowest()]).toBe(IOVA_ANCHOR);
});

test('downward filling leaves full nodes', () => {
  const index = new RangeIndex(START);
  for (let at = 4000; at > 0; at -= 1) index.insertBelow(index.nodes.lowest(), at + START, at + START);
  const { count, level } = index.nodes;
  const leaves = Array.from(count.keys()).filter((node) => level[node] === 0 && (count[node] as number) > 0);
  const slots = leaves.reduce((sum, node) => sum + (count[node] as number), 0);
  expect(slots / leaves.length).toBeGreaterThan(0.9 * (2 ** SLOT_BITS - 1));
});
