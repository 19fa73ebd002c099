import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Addressed, AddressIndex } from './address-index.ts';

class Entry implements Addressed<Entry> {
  readonly start: number;
  readonly end: number;
  chained: Entry | null = null;

  constructor(start: number, bytes: number) {
    this.start = start;
    this.end = start + bytes;
  }
}

const contains =
  (address: number) =>
  ({ start, end }: Entry): boolean =>
    start <= address && end > address;

/** Sizes up to very large ones, places that often coincide. */
const entry = fc.tuple(
  fc.nat(40).map((page) => page * 2048),
  fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.constant(8 * 2 ** 20)),
);

test('the index answers as a plain list does', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(entry, fc.boolean(), fc.nat()), { maxLength: 60 }), (steps) => {
      const index = new AddressIndex<Entry>();
      const oracle: Entry[] = [];
      for (const [[start, bytes], removes, pick] of steps) {
        if (removes && oracle.length > 0) {
          const [taken] = oracle.splice(pick % oracle.length, 1);
          if (taken !== undefined) index.remove(taken);
        } else {
          const made = new Entry(start, bytes);
          index.add(made);
          oracle.push(made);
        }
        const address = pick % 100_000;
        expect(index.size).toBe(oracle.length);
        expect(placesOf(index)).toEqual(placesOf(oracle));
        expect(index.containing(address, () => true) === null).toBe(!oracle.some(contains(address)));
        const found = index.containing(address, () => true);
        if (found !== null) expect(contains(address)(found)).toBe(true);
        const starts = oracle
          .map((one) => one.start)
          .filter((one) => one >= address && one < address + 30_000);
        expect(index.nextStart(address, address + 30_000, () => true)).toBe(
          starts.length === 0 ? -1 : Math.min(...starts),
        );
      }
    }),
  );
});

const placesOf = (entries: Iterable<Entry>): string[] =>
  [...entries].map(({ start, end }) => `${start}-${end}`).sort();

test('of equal addresses the newest comes first', () => {
  const index = new AddressIndex<Entry>();
  const [older, newer] = [new Entry(4096, 64), new Entry(4096, 64)];
  index.add(older);
  index.add(newer);
  expect(index.at(5000)).toBe(newer);
  expect(newer.chained).toBe(older);
  index.remove(newer);
  expect(index.at(4096)).toBe(older);
});
