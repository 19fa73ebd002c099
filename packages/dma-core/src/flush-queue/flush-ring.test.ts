// The ring alone: what it holds, against a plain array, through many wraps; and its size in the kernel.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FlushRing, flushRingBytes } from '../index.ts';

interface Entry {
  readonly pfn: number;
  readonly pages: number;
  readonly freelist: readonly number[] | null;
  readonly counter: number;
}

const oldest = (ring: FlushRing): Entry => ({
  pfn: ring.headPfn,
  pages: ring.headPages,
  freelist: ring.headFreelist,
  counter: ring.headCounter,
});

const entries = fc.record<Entry>({
  pfn: fc.nat({ max: 2 ** 40 }),
  pages: fc.integer({ min: 1, max: 2 ** 30 }),
  freelist: fc.option(fc.array(fc.nat(), { minLength: 1, maxLength: 3 })),
  counter: fc.nat(),
});

it('holds what a plain array holds, one less than it has slots', () => {
  const steps = fc.array(fc.option(entries), { maxLength: 200 });
  fc.assert(
    fc.property(fc.constantFrom(2, 4, 8), steps, (size, run) => {
      const ring = new FlushRing(size);
      const waiting: Entry[] = [];
      for (const entry of run) {
        if (entry === null && waiting.length > 0) {
          ring.pop();
          waiting.shift();
        } else if (entry !== null && waiting.length < size - 1) {
          ring.add(entry.pfn, entry.pages, entry.freelist, entry.counter);
          waiting.push(entry);
        }
        expect([ring.length, ring.isEmpty, ring.isFull]).toEqual([
          waiting.length,
          waiting.length === 0,
          waiting.length === size - 1,
        ]);
        if (waiting.length > 0) expect(oldest(ring)).toEqual(waiting[0]);
      }
    }),
  );
});

it.each([
  [256, 10256],
  [32768, 1310736],
])('%i entries take %i bytes', (size, bytes) => {
  expect(flushRingBytes(size)).toBe(bytes);
});
