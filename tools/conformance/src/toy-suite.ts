// A toy suite for the tests of the runner: a counter whose records say what it shows after each step.
// `flaws` makes the comparison sloppy in ways in which a real suite might be; the self-test must find each of them.
// Simplified: no kernel behaviour at all.

import { gzipSync } from 'node:zlib';
import { BrokenHeader, type JsonRecord, type Mismatch, type Replayer, type Suite } from './suite.ts';

/** Ways in which a suite can be too lenient. */
export type ToyFlaw =
  | 'ignores hex'
  | 'compares 32 bits'
  | 'ignores extra elements'
  | 'adopts the recorded sum';

function compare(flaw: ToyFlaw | null, field: string, expected: unknown, got: unknown): Mismatch[] {
  if (flaw === 'ignores hex' && field === 'hex') return [];
  let same = JSON.stringify(expected) === JSON.stringify(got);
  if (flaw === 'compares 32 bits' && typeof expected === 'number' && typeof got === 'number') {
    same = expected >>> 0 === got >>> 0;
  }
  if (flaw === 'ignores extra elements' && Array.isArray(expected) && Array.isArray(got)) {
    same = got.every((element, index) => element === expected[index]);
  }
  return same ? [] : [{ field, expected, got }];
}

/** The suite `toy`; header field `start` is where the counter begins. */
export function toySuite(flaw: ToyFlaw | null = null): Suite {
  return {
    name: 'toy',
    accepts: (header) => header['suite'] === 'toy',
    open: (header, context): Replayer => {
      const { start } = header;
      if (typeof start !== 'number') throw new BrokenHeader('start is missing');
      let sum = start;
      const history: number[] = [];
      return {
        replay(record: JsonRecord): Mismatch[] {
          if (record['op'] === 'crash') throw new RangeError('crashed');
          if (record['op'] === 'pause') return [];
          if (record['op'] === 'history') {
            return compare(flaw, 'values', record['values'], history);
          }
          sum += Number(record['by']);
          history.push(sum);
          const found = [
            ...compare(flaw, 'sum', record['sum'], sum),
            ...compare(flaw, 'hex', record['hex'], `0x${sum.toString(16)}`),
          ];
          if (flaw === 'adopts the recorded sum') sum = Number(record['sum']);
          return found;
        },
        finish(): Mismatch[] {
          const dump = context?.readSibling(`dumps/${context.stem}.txt`) ?? null;
          return dump === null ? [] : compare(flaw, 'dump', dump, `${sum}\n`);
        },
      };
    },
    kindOf: (record) => String(record['op']),
    outputs: { add: ['sum', 'hex'], history: ['values'], pause: [], crash: [] },
  };
}

/** A correct toy file as text. */
export function toyText(steps: readonly number[], start: number = 0): string {
  let sum = start;
  const history: number[] = [];
  const lines: unknown[] = [
    { suite: 'toy', start },
    { op: 'history', values: [] },
  ];
  for (const by of steps) {
    sum += by;
    history.push(sum);
    lines.push({ op: 'add', by, sum, hex: `0x${sum.toString(16)}` });
  }
  lines.push({ op: 'pause' }, { op: 'history', values: history });
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/** The same, gzipped. */
export function gzipped(text: string): Buffer {
  return gzipSync(text);
}
