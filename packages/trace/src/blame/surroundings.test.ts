import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TracedMapping } from '../traced-mapping.ts';
import type { PlacedFault } from './fault-order.ts';
import { MappingHistory } from './mapping-history.ts';
import type { RecordedFault } from './recorded-fault.ts';
import { type Surroundings, surroundingsOf } from './surroundings.ts';

interface Life {
  readonly device: string;
  readonly page: number;
  readonly pages: number;
  readonly from: number;
  /** Line of the end; none when it stays. */
  readonly to: number | undefined;
  readonly timed: boolean;
}

const PAGE = 4096;
const FOUR_GIB_PAGES = 2 ** 20;
const PHYS_PAGES = 2 ** 28;
const DEVICES = ['0000:01:00.0', '0000:02:00.0', ''];

function mappingOf({ device, page, pages, from, timed }: Life, id: number): TracedMapping {
  const dmaAddr = page * PAGE;
  return {
    ...{
      kind: 'phys',
      id,
      device,
      deviceFrom: 'recorded',
      direction: 'TO_DEVICE',
      directionFrom: 'recorded',
    },
    ...{ attrs: '', bytesFrom: 'recorded', dmaAddr, bytes: pages * PAGE },
    ...{ pieceDma: [dmaAddr], piecePhys: [dmaAddr + 2 ** 40], pieceBytes: [pages * PAGE] },
    ...{ mappedLine: from, mappedAt: timed ? from * 1000 : -1, mappedCpu: 0, mappedTask: 'x-1', rules: [] },
  };
}

const faultAt = (page: number, line: number): RecordedFault => ({
  ...{ source: 'io_page_fault', line, time: line * 1000, device: '0000:01:00.0', driver: '' },
  ...{ address: page * PAGE + 8, addressText: '', addressBytes: 1, code: 0, codeText: '' },
  reading: { access: 'read', kind: 'translation', words: '', others: [] },
});

/** Plays lives into a history in the order of their lines. */
function historyOf(lives: readonly Life[], limit: number): MappingHistory {
  const history = new MappingHistory(limit);
  const steps = lives.flatMap((life, id) => [
    { line: life.from, run: () => history.mapped(mappingOf(life, id)) },
    ...(life.to === undefined
      ? []
      : [
          {
            line: life.to,
            run: () =>
              history.unmapped(id, {
                line: life.to ?? 0,
                at: life.timed ? (life.to ?? 0) * 1000 : -1,
                cpu: 0,
                task: '',
              }),
          },
        ]),
  ]);
  for (const { run } of steps.sort((one, two) => one.line - two.line)) {
    run();
    if (history.overfull) history.forgetOldest();
  }
  return history;
}

const lives = fc
  .array(
    fc.record({
      device: fc.constantFrom(...DEVICES),
      page: fc.integer({ min: 1, max: 40 }),
      pages: fc.integer({ min: 1, max: 4 }),
      length: fc.integer({ min: 1, max: 60 }),
      stays: fc.boolean(),
      high: fc.integer({ min: 0, max: 3 }).map((one) => one === 0),
      timed: fc.integer({ min: 0, max: 9 }).map((one) => one > 0),
    }),
    { maxLength: 60 },
  )
  .map((drawn) =>
    drawn.map(({ device, page: low, pages, length, stays, high, timed }, index): Life => {
      const from = index * 2 + 1;
      const page = high ? low + FOUR_GIB_PAGES : low;
      return {
        device,
        page,
        pages,
        from,
        timed,
        to: stays ? undefined : from + length * 2 + 1 + (1 / 128) * index,
      };
    }),
  );

describe('the search for owners', () => {
  it('finds what a brute-force search finds, for many faults at once', () => {
    const fault = fc.record({
      page: fc.integer({ min: 1, max: 44 }),
      base: fc.constantFrom(0, 0, 0, FOUR_GIB_PAGES, PHYS_PAGES),
      at: fc.integer({ min: 0, max: 60 }),
      byTime: fc.boolean(),
      device: fc.constantFrom(...DEVICES),
    });
    fc.assert(
      fc.property(lives, fc.array(fault, { minLength: 1, maxLength: 12 }), (all, drawn) => {
        const faults = drawn.map(({ page, base, at, byTime, device }): PlacedFault => {
          const position = { line: at * 2, time: at * 2000, byTime };
          return { fault: { ...faultAt(page + base, at * 2), device }, position };
        });
        const around = surroundingsOf(historyOf(all, 1e6), faults);
        for (const one of faults) checkFault(all, one, around.get(one) as Surroundings);
      }),
      { numRuns: 120 },
    );
  });

  it('forgets the oldest ended mappings only, and says how many', () => {
    fc.assert(
      fc.property(lives, fc.integer({ min: 1, max: 20 }), (all, limit) => {
        const history = historyOf(all, limit);
        const ended = all.filter(({ to }) => to !== undefined).length;
        expect(history.live).toBe(all.length - ended);
        const kept = ended - history.forgotten;
        expect(kept).toBeGreaterThanOrEqual(Math.min(ended, limit));
        expect(kept).toBeLessThanOrEqual(Math.floor(limit * 1.125));
        const ends = all.flatMap(({ to }) => (to === undefined ? [] : [to])).sort((one, two) => one - two);
        expect(history.forgottenUntilLine).toBe(ends[history.forgotten - 1] ?? -1);
      }),
    );
  });
});

const ownerOf = ({ device }: Life, faulting: string): string => {
  if (faulting === '' || device === faulting) return 'own';
  return device === '' ? 'unnamed' : 'other';
};

function stateOf({ from, to }: Life, line: number): string {
  if (from >= line) return 'later';
  return to !== undefined && to < line ? 'ended' : 'live';
}

function checkFault(all: readonly Life[], { fault, position }: PlacedFault, around: Surroundings): void {
  const page = Math.floor(fault.address / PAGE);
  const { line } = position;
  const holds = (life: Life, at: number): boolean => life.page <= at && at < life.page + life.pages;
  const covering = all.filter((life) => holds(life, page));
  expect(around.coveringCount).toBe(covering.length);
  for (const owner of ['own', 'unnamed', 'other'] as const) {
    for (const state of ['live', 'ended', 'later'] as const) {
      const expected = covering.filter(
        (life) => ownerOf(life, fault.device) === owner && stateOf(life, line) === state,
      );
      const found = around.covering.filter((one) => one.owner === owner && one.state === state);
      if (around.coveringCount <= 32) expect(found).toHaveLength(expected.length);
      if (expected.length > 0 && found.length > 0 && state === 'ended') {
        expect(found[0]?.ended?.line).toBe(Math.max(...expected.map((life) => life.to ?? 0)));
      }
    }
  }
  for (const [side, below] of [
    ['below', true],
    ['above', false],
  ] as const) {
    checkNeighbour(around[`${side}Live`]?.distance, nearest(all, fault, line, 'live', below));
    checkNeighbour(around[`${side}Ended`]?.distance, nearest(all, fault, line, 'ended', below));
  }
  const physical = all.filter((life) => holds(life, page - PHYS_PAGES));
  expect(around.byPhysical).toHaveLength(Math.min(4, physical.length));
  const high = page >= FOUR_GIB_PAGES ? [] : all.filter((life) => holds(life, page + FOUR_GIB_PAGES));
  expect(around.byLow32).toHaveLength(Math.min(4, high.length));
}

function nearest(
  all: readonly Life[],
  { address, device }: RecordedFault,
  line: number,
  state: string,
  below: boolean,
): number {
  const distances = all
    .filter((life) => ownerOf(life, device) !== 'other' && stateOf(life, line) === state)
    .map((life) => (below ? address - (life.page + life.pages) * PAGE : life.page * PAGE - address))
    .filter((distance) => distance > 0);
  return Math.min(...distances);
}

function checkNeighbour(found: number | undefined, expected: number): void {
  expect(found ?? Number.POSITIVE_INFINITY).toBe(expected);
}
