import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlignedLines, alignLines } from './line-alignment.ts';

test.each<[string, string[], string[], AlignedLines[]]>([
  [
    'the same lines',
    ['a: 1', 'b: 2'],
    ['a: 1', 'b: 2'],
    [
      [0, 0],
      [1, 1],
    ],
  ],
  [
    'a changed line',
    ['a: 1', 'b: 2', 'c: 3'],
    ['a: 1', 'b: 9', 'c: 3'],
    [
      [0, 0],
      [1, 1],
      [2, 2],
    ],
  ],
  [
    'a changed last line',
    ['a: 1', 'b: 2', 'c: 3'],
    ['a: 1', 'b: 9'],
    [
      [0, 0],
      [1, 1],
    ],
  ],
  [
    'a line too many',
    ['a: 1', 'c: 3'],
    ['a: 1', 'b: 2', 'c: 3'],
    [
      [0, 0],
      [null, 1],
      [1, 2],
    ],
  ],
  [
    'a line too few',
    ['a: 1', 'b: 2', 'c: 3'],
    ['a: 1', 'c: 3'],
    [
      [0, 0],
      [1, null],
      [2, 1],
    ],
  ],
  [
    'another event',
    ['a: 1', 'c: 3'],
    ['a: 1', 'b: 2'],
    [
      [0, 0],
      [null, 1],
    ],
  ],
  [
    'lines of one event, one too few',
    ['m: 1', 'm: 2', 'm: 3'],
    ['m: 2', 'm: 3'],
    [
      [0, null],
      [1, 0],
      [2, 1],
    ],
  ],
  ['nothing recorded', [], ['a: 1'], [[null, 0]]],
  ['nothing computed', ['a: 1'], [], []],
])('%s', (_name, recorded, computed, pairs) => {
  expect(alignLines(recorded, computed)).toEqual(pairs);
});

const CHANGED = 5;
const EXTRA = 9;
const MISSING = 2;

/** The lowest cost of dealing with all computed lines, tried out. */
function lowestCost(recorded: readonly string[], computed: readonly string[]): number {
  const [line, ...others] = computed;
  if (line === undefined) return 0;
  const extra = EXTRA + lowestCost(recorded, others);
  const [first, ...rest] = recorded;
  if (first === undefined) return extra;
  const exchanged = first === line ? 0 : first[0] === line[0] ? CHANGED : MISSING + EXTRA;
  return Math.min(extra, MISSING + lowestCost(rest, computed), exchanged + lowestCost(rest, others));
}

const lines = fc.array(fc.constantFrom('a: 1', 'a: 2', 'b: 1', 'b: 2'), { maxLength: 6 });

test('the alignment is in order, holds every computed line, and has no more differences than any other', () => {
  fc.assert(
    fc.property(lines, lines, (recorded, computed) => {
      const pairs = alignLines(recorded, computed);
      const columns = pairs.flatMap(([column]) => (column === null ? [] : [column]));
      expect(columns).toEqual([...columns.keys()]);
      expect(pairs.flatMap(([, row]) => (row === null ? [] : [row]))).toEqual([...computed.keys()]);
      const cost = pairs.reduce((sum, [column, row]) => {
        if (column === null) return sum + EXTRA;
        if (row === null) return sum + MISSING;
        const [one, other] = [recorded[column] as string, computed[row] as string];
        return sum + (one === other ? 0 : one[0] === other[0] ? CHANGED : MISSING + EXTRA);
      }, 0);
      expect(cost).toBe(lowestCost(recorded, computed));
    }),
  );
});
