// Flush blocks against a search by hand, and the numbers of the specification of the kernel's rule.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flushBlockBase, flushBlockOrder } from './flush-block.ts';

/** The smallest order at which both frames lie in the same aligned block, found by trying. */
function searchedOrder(first: bigint, last: bigint): number {
  let order = 0n;
  while (first >> order !== last >> order) order += 1n;
  return Number(order);
}

const LAST = 2 ** 52 - 1;
const frame = fc.oneof(
  fc.integer({ min: 0, max: 4096 }),
  fc.integer({ min: 0, max: LAST }),
  fc.integer({ min: 0, max: 51 }).map((bit) => 2 ** bit),
  fc.integer({ min: 1, max: 52 }).map((bit) => 2 ** bit - 1),
);

test('the block is the smallest aligned one that holds both ends', () => {
  fc.assert(
    fc.property(frame, frame, (one, other) => {
      const [first, last] = one < other ? [one, other] : [other, one];
      const order = flushBlockOrder(first, last);
      expect(order).toBe(searchedOrder(BigInt(first), BigInt(last)));
      const base = flushBlockBase(first, order);
      expect(BigInt(base)).toBe((BigInt(first) >> BigInt(order)) << BigInt(order));
      expect(base <= first && last < base + 2 ** order).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [0xffff0, 0xffff0, 0xffff0, 0],
  [0xfffb0, 0xfffbb, 0xfffb0, 4],
  [0x1ff, 0x200, 0, 10],
  [0, LAST, 0, 52],
  [2 ** 51 - 1, 2 ** 51, 0, 52],
])('frames %i to %i: base %i, order %i', (first, last, base, order) => {
  expect(flushBlockOrder(first, last)).toBe(order);
  expect(flushBlockBase(first, order)).toBe(base);
});
