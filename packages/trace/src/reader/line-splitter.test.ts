import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

const LINE_FEED = 10;
const LIMIT = 12;

/** Lines as arrays, a long one as null; the oracle works on the whole input. */
function expectedLines(bytes: readonly number[]): (number[] | null)[] {
  const lines: number[][] = [[]];
  for (const byte of bytes) {
    if (byte === LINE_FEED) lines.push([]);
    else lines.at(-1)?.push(byte);
  }
  if (lines.at(-1)?.length === 0) lines.pop();
  return lines.map((line) => (line.length > LIMIT ? null : line));
}

const byte = fc.oneof(fc.constant(LINE_FEED), fc.nat(255));

test.prop([fc.array(fc.array(byte, { maxLength: 30 }))], { numRuns: 500 })(
  'however the chunks are cut, the lines are those of the whole',
  (chunks) => {
    const lines: (number[] | null)[] = [];
    const splitter = new LineSplitter(
      LIMIT,
      (bytes, from, end) => {
        expect(bytes[end]).toBe(LINE_FEED);
        lines.push([...bytes.subarray(from, end)]);
      },
      () => lines.push(null),
    );
    for (const chunk of chunks) splitter.push(Uint8Array.from(chunk));
    splitter.end();
    expect(lines).toEqual(expectedLines(chunks.flat()));
  },
);
