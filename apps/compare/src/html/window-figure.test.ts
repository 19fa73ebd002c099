// The figure about revoke windows: which runs of which stage it is about, sorted, and nothing where nothing was taken back.
import { expect, it } from 'vitest';
import type { Shown } from '../compare-json.ts';
import { windowFigure } from './window-figure.ts';

const revoked = (
  lastAccess: number,
  { hang = null as object | null, refused = 0, op = 'range-list' } = {},
) => ({
  report: { hang, importers: [{ refused }], input: { op }, timings: { lastAccess } },
});
const revokes = (...rows: readonly object[]) => ({
  blocks: [{ rows: rows.slice(0, 1) }, { rows: rows.slice(1) }],
});
const exchanged = (way: string, ...steps: readonly (number | null)[]) => ({
  report: { input: { way }, moves: steps.map((lastAccess) => ({ lastAccess })) },
});
const figureOf = (parts: object): string =>
  windowFigure({
    rangeListRevoke: null,
    revoke: null,
    guestSpace: null,
    gpuExchange: null,
    ...parts,
  } as Shown);

/** The table's lines: stage, runs, median, most. */
const linesOf = (page: string): string[][] =>
  [...page.matchAll(/<tr><th scope="row">(\d)[^<]*<\/th>(.*)<\/tr>/g)].map(([, stage = '', cells = '']) => [
    stage,
    ...[...cells.matchAll(/>([\d,]+)</g)].map(([, cell = '']) => cell),
  ]);

it('is about every revoke that came to its end, and about moves of memory that range lists share', () => {
  const page = figureOf({
    rangeListRevoke: revokes(revoked(30), revoked(7), revoked(1200)),
    revoke: revokes(
      revoked(4),
      revoked(900, { hang: {} }),
      revoked(800, { refused: 22 }),
      revoked(700, { op: 'deprecated' }),
    ),
    guestSpace: { rows: [{ report: { timings: { lastAccess: 9 } } }] },
    gpuExchange: {
      rows: [exchanged('range-list', 50, null, 40), exchanged('xe', 600), exchanged('amdgpu', 500)],
    },
  });
  expect(linesOf(page)).toEqual([
    ['5', '3', '30', '1,200'],
    ['6', '1', '4', '4'],
    ['7', '1', '9', '9'],
    ['8', '3', '40', '50'],
  ]);
  expect(page.match(/<circle /g)).toHaveLength(8);
});

it('leaves out a stage without revokes, and is empty without any', () => {
  const page = figureOf({ guestSpace: { rows: [{ report: { timings: { lastAccess: 0 } } }] } });
  expect(linesOf(page)).toEqual([['7', '1', '0', '0']]);
  expect(figureOf({ revoke: revokes(revoked(3, { hang: {} })) })).toBe('');
});
