import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageMap } from './page-map.ts';

/** Pages that fall on each other in the lower bits, and far ones. */
const page = fc.oneof(
  fc.nat(30),
  fc.nat(30).map((one) => one * 2 ** 32),
  fc.nat(30).map((one) => 2 ** 40 + one),
);

test('it holds what a Map holds, through many rebuilds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(page, fc.nat(3)), { maxLength: 600 }), (steps) => {
      const pages = new PageMap<{ readonly id: number }>();
      const oracle = new Map<number, { readonly id: number }>();
      for (const [at, [one, what]] of steps.entries()) {
        if (what === 0) {
          pages.delete(one);
          oracle.delete(one);
        } else {
          const value = { id: at };
          pages.set(one, value);
          oracle.set(one, value);
        }
        expect(pages.get(one)).toBe(oracle.get(one) ?? null);
        expect(pages.size).toBe(oracle.size);
      }
      for (const [one, value] of oracle) expect(pages.get(one)).toBe(value);
      expect(new Set(pages.values())).toEqual(new Set(oracle.values()));
    }),
  );
});
