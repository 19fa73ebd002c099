// SeededRandom: the same numbers for the same seed, within their bounds.
import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.ts';

const draw = (seed: number, count: number): number[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

it('repeats for a seed and differs between seeds', () => {
  expect(draw(1, 100)).toEqual(draw(1, 100));
  expect(draw(1, 100)).not.toEqual(draw(2, 100));
  expect(new Set(draw(1, 1000)).size).toBe(1000);
});

test.prop([fc.integer(), fc.integer({ min: 1, max: 2 ** 32 - 1 })])(
  'stays below the bound',
  (seed, bound) => {
    const random = new SeededRandom(seed);
    for (let i = 0; i < 20; i += 1) {
      const value = random.below(bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
    }
  },
);
