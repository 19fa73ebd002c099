// Random mappings on random devices, CPUs and times, in every run: the counts are those of plain sums, and all of it goes.
import type { TracedMapping } from '@sgfree/trace';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { end, type Piece, replay, runOf, traced } from '../../test/traced-mappings.ts';

const PAGE = 4096;
const DEVICES = ['0000:01:00.0', '0000:02:00.0', ''];

/** Whole pages anywhere below 1 TiB, at most 64 of them, so that no leaf is larger than a page. */
const pages = fc.record({
  page: fc.integer({ min: 512, max: 2 ** 28 }),
  count: fc.integer({ min: 1, max: 64 }),
});
const pieces = fc.array(pages, { minLength: 1, maxLength: 6 }).map((all): Piece[] =>
  // Far apart, so that no two are neighbours.
  all.map(({ page, count }, index) => [(page + index * 2 ** 29) * PAGE, count * PAGE]),
);
/** Any bytes of any page. */
const bytes = fc
  .record({
    page: fc.integer({ min: 512, max: 2 ** 28 }),
    offset: fc.nat({ max: PAGE - 1 }),
    size: fc.integer({ min: 1, max: 70_000 }),
  })
  .map(({ page, offset, size }): Piece[] => [[page * PAGE + offset, size]]);

const mapping = fc.oneof(
  fc.record({ kind: fc.constantFrom<TracedMapping['kind']>('two-step', 'sg', 'coherent'), pieces }),
  fc.record({ kind: fc.constant<TracedMapping['kind']>('phys'), pieces: bytes }),
);
const step = fc.record({
  mapping,
  device: fc.constantFrom(...DEVICES),
  cpu: fc.nat({ max: 3 }),
  direction: fc.constantFrom<TracedMapping['direction']>('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL', ''),
  /** Nanoseconds since the step before. */
  after: fc.nat({ max: 4_000_000 }),
  /** Which of the live mappings is undone afterwards; none when there are fewer. */
  undo: fc.nat({ max: 6 }),
});

const pagesOf = ([phys, size]: Piece): number => Math.ceil(((phys % PAGE) + size) / PAGE);
const allPages = (list: readonly Piece[]): number => list.reduce((sum, piece) => sum + pagesOf(piece), 0);

interface Sums {
  mapped: number;
  unmapped: number;
  entries: number;
  calls: number;
  ranges: number;
  twoStepEnds: number;
}

it('random mappings cost what plain sums say, and leave nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const sums: Sums = { mapped: 0, unmapped: 0, entries: 0, calls: 0, ranges: 0, twoStepEnds: 0 };
      let at = 0;
      const live: TracedMapping[] = [];
      const report = replay({}, (engine) => {
        for (const { mapping: made, device, cpu, direction, after, undo } of steps) {
          at += after;
          const one = traced(made.kind, made.pieces, at, { device, direction, mappedCpu: cpu });
          engine.mapped(one);
          live.push(one);
          sums.mapped += 1;
          sums.entries += allPages(made.pieces);
          sums.calls += made.pieces.length;
          sums.ranges += made.kind === 'coherent' ? 1 : made.pieces.length;
          const [undone] = live.splice(undo, 1);
          if (undone === undefined) continue;
          engine.unmapped(undone, end(at, cpu));
          sums.unmapped += 1;
          if (undone.kind === 'two-step') sums.twoStepEnds += 1;
        }
      });
      const { mapped, unmapped, entries, calls, ranges, twoStepEnds } = sums;
      for (const { total, mode, devices } of report.runs) {
        expect(total).toMatchObject({ mapped, unmapped, failed: {} });
        if (mode === 'passthrough') {
          expect(total).toMatchObject({ dmaRangesOut: ranges, entriesWritten: 0, iovaAllocations: 0 });
        } else {
          expect(total).toMatchObject({
            entriesWritten: entries,
            mapCalls: calls,
            unmapCalls: unmapped,
            iovaAllocations: mapped,
          });
        }
        const waits = devices.reduce((sum, { invalidations }) => sum + invalidations.waits, 0);
        expect(total.invalidations.waits).toBe(waits);
      }
      for (const stage of [0, 1] as const) {
        expect(runOf(report, stage, 'strict').total.invalidations.page).toBe(unmapped);
        const { flushQueue, invalidations } = runOf(report, stage, 'lazy').total;
        const atOnce = stage === 1 ? twoStepEnds : 0;
        expect([flushQueue?.queued, invalidations.page]).toEqual([unmapped - atOnce, atOnce]);
        const flushes = (flushQueue?.ringFullFlushes ?? 0) + (flushQueue?.timerFlushes ?? 0);
        expect(invalidations.domain).toBe(flushes);
      }
    }),
    { numRuns: 60 },
  );
});

const anyNumber = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(-1, 0, 1, PAGE, 2 ** 32, 2 ** 48 - 1, 2 ** 52 - 1),
  fc.nat(),
);
const absurd = fc.record({
  kind: fc.constantFrom<TracedMapping['kind']>('phys', 'sg', 'two-step', 'coherent', 'iommu-api'),
  pieces: fc.array(fc.tuple(anyNumber, fc.oneof(fc.nat({ max: 2 ** 24 }), anyNumber)), { maxLength: 3 }),
  attrs: fc.constantFrom('', 'MMIO', 'CC_SHARED', 'REQUIRE_COHERENT|WEAK_ORDERING', 'NO_WARN|0x400', '||'),
  direction: fc.constantFrom<TracedMapping['direction']>('TO_DEVICE', 'NONE', ''),
  at: anyNumber,
});

it('absurd mappings are refused, fail or run, and the model stays right', () => {
  fc.assert(
    fc.property(fc.array(absurd, { maxLength: 12 }), (all) => {
      const report = replay({}, (engine) => {
        for (const { kind, pieces: places, attrs, direction, at } of all) {
          const one = traced(kind, places, at, { attrs, direction });
          engine.mapped(one);
          if (places.length % 2 === 1) engine.unmapped(one, end(at));
        }
      });
      const refused = Object.values(report.traced.refused).reduce((sum, count) => sum + count, 0);
      for (const { total } of report.runs) {
        const failed = Object.values(total.failed).reduce((sum, count) => sum + count, 0);
        expect(total.mapped + failed + refused).toBe(all.length);
      }
    }),
    { numRuns: 150 },
  );
});
