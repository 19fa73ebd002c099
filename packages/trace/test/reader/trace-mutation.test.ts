import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { bytesOfText, readChunks } from './read-whole.ts';
import { fuzzCases } from './recorded-lines.ts';
import { mutated, mutationArbitrary, requireInvariants } from './trace-mutation.ts';

test.prop([fuzzCases()], { numRuns: 1500 })('the invariants hold of mutated traces', (trace) => {
  requireInvariants(trace);
});

test.prop([fc.array(fc.uint8Array({ maxLength: 300 })), fc.array(fc.nat(3000))], { numRuns: 200 })(
  'the invariants hold of garbage',
  (pieces, cuts) => {
    const lines = pieces.map((piece) => piece.map((byte) => (byte === 10 ? 0 : byte)));
    requireInvariants({ lines, cuts, maxLineBytes: 1 << 20 });
  },
);

test.prop([fc.array(mutationArbitrary, { minLength: 1, maxLength: 5 })], { numRuns: 100 })(
  'mutations change lines and leave the given ones alone',
  (mutations) => {
    const lines = ['one', 'two 22', 'three'].map((text) => bytesOfText(text));
    const before = JSON.stringify(lines);
    expect(mutated(lines, mutations)).toHaveLength(3);
    expect(JSON.stringify(lines)).toBe(before);
  },
);

test('a reading that keeps something of the line before would be found', () => {
  const lines = [
    'map: IOMMU: iova=0x0000000000001000 - 0x0000000000002000 paddr=0x0000000000003000 size=4096',
    'x',
  ];
  const trace = { lines: lines.map((text) => bytesOfText(text)), cuts: [5], maxLineBytes: 1 << 20 };
  expect(() => requireInvariants(trace)).not.toThrow();
  expect(() => requireInvariants({ ...trace, lines: [bytesOfText('a\nb')] })).toThrow('lines are missing');
  expect(readChunks([bytesOfText(lines.join('\n'))]).events).toHaveLength(1);
});
