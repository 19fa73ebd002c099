// Linked pieces against one letter per byte.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testMachine } from '../../test/vtd-machine.ts';
import { NO_ATTRS } from '../index.ts';
import { TwoStepRange } from './two-step-range.ts';

const { dev } = testMachine();
const SIZE = 24;

const calls = fc.array(
  fc.record({
    call: fc.constantFrom('link', 'sync', 'remove'),
    start: fc.nat({ max: SIZE - 1 }),
    bytes: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 30 },
);

it('knows for every byte whether it is linked, visible, and to what memory', () => {
  fc.assert(
    fc.property(calls, (made) => {
      const range = new TwoStepRange(dev, 0x1000, SIZE, 0);
      const bytes: ({ phys: number; synced: boolean } | null)[] = new Array(SIZE).fill(null);
      for (const [turn, { call, start, bytes: length }] of made.entries()) {
        const end = Math.min(SIZE, start + length);
        const free = bytes.slice(start, end).every((byte) => byte === null);
        if (call === 'link' && free) {
          const phys = turn * 1000;
          range.insert({ start, end, phys, direction: 'to-device', attrs: NO_ATTRS, synced: false });
          for (let at = start; at < end; at += 1) bytes[at] = { phys: phys + at - start, synced: false };
        }
        if (call === 'sync') {
          for (const piece of range.within(start, end)) piece.synced = true;
          for (const byte of bytes.slice(start, end)) if (byte !== null) byte.synced = true;
        }
        if (call === 'remove') {
          range.remove(start, end);
          bytes.fill(null, start, end);
        }
        expect(bytes.map((_, at) => pieceByte(range, at))).toEqual(bytes);
        expect(range.linkedBytes(start, end)).toBe(bytes.slice(start, end).filter(Boolean).length);
        expect(range.linkedEnd).toBe(bytes.findLastIndex(Boolean) + 1);
      }
    }),
    { numRuns: 150 },
  );
});

function pieceByte(range: TwoStepRange, at: number): { phys: number; synced: boolean } | null {
  const piece = range.pieceAt(at);
  return piece === null ? null : { phys: piece.phys + at - piece.start, synced: piece.synced };
}
