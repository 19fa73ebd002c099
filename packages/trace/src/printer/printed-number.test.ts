import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import {
  addToSplit,
  decimalOf,
  hexListOf,
  hexOf,
  hexOfSplit,
  hexOfWords,
  maskOf,
  paddedHexOf,
  splitOf,
} from './printed-number.ts';

const TWO_64 = 2n ** 64n;
const exact = fc.maxSafeNat();
const split = fc.record({ frame: fc.nat(2 ** 31 - 1), offset: fc.nat(4095), top: fc.nat(2 ** 21 - 1) });

test('all ones, zero and what lies between', () => {
  expect([-1, 0, 0xfff, 2 ** 64].map(hexOf)).toEqual(['ffffffffffffffff', '0', 'fff', 'ffffffffffffffff']);
  expect(paddedHexOf(0)).toBe('0000000000000000');
  expect(paddedHexOf(0x123)).toBe('0000000000000123');
  expect(hexListOf([])).toBe('{}');
  expect(hexListOf([0xfff80e13, 0])).toBe('{0xfff80e13,0x0}');
  expect([2 ** 32 - 1, 2 ** 47 - 1, 2 ** 60, 2 ** 64].map(maskOf)).toEqual([
    'ffffffff',
    '7fffffffffff',
    'fffffffffffffff',
    'ffffffffffffffff',
  ]);
  expect(decimalOf(2 ** 64)).toBe('18446744073709551616');
});

test.prop([exact])('exact numbers print exactly', (value) => {
  expect(hexOf(value)).toBe(BigInt(value).toString(16));
  expect(decimalOf(value)).toBe(BigInt(value).toString());
  expect(hexOfSplit(splitOf(value))).toBe(BigInt(value).toString(16));
});

test.prop([split, exact])('a split address moves as 64 bits do', ({ top, frame, offset }, bytes) => {
  const start = { frame: top * 2 ** 31 + frame, offset };
  const sum = (BigInt(start.frame) * 4096n + BigInt(offset) + BigInt(bytes)) % TWO_64;
  expect(hexOfSplit(addToSplit(start, bytes))).toBe(sum.toString(16));
});

test.prop([fc.array(fc.nat({ max: 2 ** 32 - 1 }), { minLength: 2, maxLength: 8 }), fc.nat(7)])(
  'words in pairs',
  (words, at) => {
    const value = BigInt(words[at + 1] ?? 0) * 2n ** 32n + BigInt(words[at] ?? 0);
    expect(hexOfWords(words, at)).toBe(value.toString(16));
  },
);
