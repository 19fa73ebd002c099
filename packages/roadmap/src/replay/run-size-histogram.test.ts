// Sizes of contiguous runs: joined where pieces meet, sorted by powers of two.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RunSizeHistogram } from './run-size-histogram.ts';

it('joins pieces that meet and sorts the runs by size', () => {
  const sizes = new RunSizeHistogram();
  sizes.add([0x1000, 0x2000, 0x9000], [0x1000, 0x1000, 0x1000]);
  sizes.add([0x1000], [1]);
  sizes.add([], []);
  expect(sizes.classes()).toEqual([
    { from: 1, runs: 1, bytes: 1 },
    { from: 4096, runs: 1, bytes: 4096 },
    { from: 8192, runs: 1, bytes: 8192 },
  ]);
});

it('loses no byte, and every run is in its class', () => {
  const piece = fc.record({ phys: fc.nat({ max: 20 }), bytes: fc.integer({ min: 1, max: 2 ** 40 }) });
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 5 })), (mappings) => {
      const [sizes, other] = [new RunSizeHistogram(), new RunSizeHistogram()];
      let total = 0;
      for (const [index, pieces] of mappings.entries()) {
        const into = index % 2 === 0 ? sizes : other;
        into.add(
          pieces.map(({ phys }) => phys),
          pieces.map(({ bytes }) => bytes),
        );
        for (const { bytes } of pieces) total += bytes;
      }
      sizes.addAll(other);
      const classes = sizes.classes();
      expect(classes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(total);
      for (const { from, runs, bytes } of classes) {
        expect(bytes).toBeGreaterThanOrEqual(from * runs);
        expect(bytes).toBeLessThan(2 * from * runs);
      }
    }),
  );
});
