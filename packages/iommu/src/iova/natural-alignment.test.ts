import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignFrameDown, largestAlignedFit, orderCovering } from './natural-alignment.ts';

function fits(size: number, first: number, end: number): boolean {
  const unit = 2 ** Math.ceil(Math.log2(size));
  return Math.floor((end - size) / unit) * unit >= first && end >= size;
}

test('the largest fit fits, nothing larger does, and everything smaller does', () => {
  const wrong: string[] = [];
  for (let first = 0; first < 70; first += 1) {
    for (let end = first; end < 140; end += 1) {
      const largest = largestAlignedFit(first, end);
      for (let size = 1; size <= 140; size += 1) {
        if (fits(size, first, end) !== size <= largest) wrong.push(`${size} in [${first}, ${end})`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test.each([0, 2 ** 31, 2 ** 32 - 40, 2 ** 45, 2 ** 52])('the same far up, from %d on', (offset) => {
  const gap = fc.tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 2 ** 40 }));
  fc.assert(
    fc.property(gap, fc.integer({ min: 1, max: 2 ** 40 }), ([start, length], size) => {
      const first = offset + start;
      expect(fits(size, first, first + length)).toBe(size <= largestAlignedFit(first, first + length));
      const largest = largestAlignedFit(first, first + length);
      if (largest > 0) expect(fits(largest, first, first + length)).toBe(true);
      expect(fits(largest + 1, first, first + length)).toBe(false);
    }),
  );
});

test('a gap that ends before it begins holds nothing', () => {
  expect(largestAlignedFit(10, 9)).toBe(0);
  expect(largestAlignedFit(10, 10)).toBe(0);
});

test.each([
  [1, 0],
  [2, 1],
  [3, 2],
  [33, 6],
  [2 ** 31, 31],
  [2 ** 31 + 1, 32],
  [2 ** 32, 32],
  [2 ** 32 + 1, 33],
  [2 ** 40, 40],
])('%d is covered by order %d', (size, order) => {
  expect(orderCovering(size)).toBe(order);
});

test('rounding down is exact up to 2^53', () => {
  expect(alignFrameDown(2 ** 53 - 1, 0)).toBe(2 ** 53 - 1);
  expect(alignFrameDown(2 ** 53 - 1, 1)).toBe(2 ** 53 - 2);
  expect(alignFrameDown(2 ** 53 - 1, 52)).toBe(2 ** 52);
});
