import { expect, test } from 'vitest';
import {
  bareHexNumber,
  bareWideAddress,
  bits,
  count,
  cpuCount,
  exactHexNumber,
  exactly,
  flag,
  hexNumber,
  kindWord,
  listOf,
  MalformedValue,
  matching,
  objectOf,
  orAbsent,
  orNull,
  type Reader,
  read,
  tupleOf,
  wideAddress,
  within,
  word,
} from './recorded-value.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;
const letters = matching(/^[a-z]+$/, 'lower-case letters');

const half = { frame: 1, offset: 0x234 };
const last = { frame: 2 ** 52 - 1, offset: 0xfff };
const ones = 'f'.repeat(16);

test.each<[Reader<unknown>, readonly unknown[], readonly unknown[]]>([
  [within(-1, 2), [-1, 2], [-2, 3, 0.5, '0', null, true]],
  [count, [0, LARGEST], [-1, 2 ** 53, 1e300, Number.NaN, [1]]],
  [word, [2 ** 32 - 1], [2 ** 32, '1']],
  [bits, [2 ** 31 - 1], [2 ** 31, -1]],
  [cpuCount, [1, 8192], [0, 8193, 1.5]],
  [exactly(4096), [4096], [4095, '4096', [4096]]],
  [letters, ['ab'], ['', 'a1', ['ab'], null]],
  [listOf(count), [[], [1, 2]], [null, 'ab', {}, [1, '2'], [[1]], new Uint8Array(2)]],
  [tupleOf(count, letters), [[1, 'a']], [[1], [1, 'a', 2], ['a', 1], '1a']],
  [objectOf({ n: count }), [{ n: 1 }], [{}, { n: '1' }, [1], null, 'n']],
  [orNull(count), [null, 1], [undefined, 'null']],
  [orAbsent(count), [undefined, 1], [null, '']],
])('reader %# takes its own values as they are and refuses others', (as, good, bad) => {
  for (const value of good) expect(as(value)).toEqual(value);
  for (const value of bad) expect(() => as(value)).toThrow(MalformedValue);
});

test.each<[Reader<unknown>, readonly unknown[], readonly unknown[]]>([
  [flag, [0, false, 1, true], [2, true, false, '1', null, undefined]],
  [hexNumber, ['0x1f', 31, `0x${ones}`, 2 ** 64], ['1f', '0x', '0xzz', '0X1', '0xF', '-0x1', '0x1 ', 31]],
  [bareHexNumber, ['1f', 31, ones, 2 ** 64], ['0x1f', '', ' 1', 'zz', 1, '1e+300', `1${ones}`]],
  [wideAddress, ['0x1234', half, `0x${ones}`, last], ['1234', 12, null]],
  [bareWideAddress, ['1234', half, '0', { frame: 0, offset: 0 }], ['0x1234', 12]],
])('reader %# turns its own values into what they stand for', (as, pairs, bad) => {
  for (let at = 0; at < pairs.length; at += 2) expect(as(pairs[at])).toEqual(pairs[at + 1]);
  for (const value of bad) expect(() => as(value)).toThrow(MalformedValue);
});

test('an error names the place, what stands there and what belongs there', () => {
  const calls = listOf(objectOf({ runs: listOf(tupleOf(hexNumber, count)) }));
  const record = {
    calls: [
      { runs: [] },
      {
        runs: [
          ['0x1', 2],
          ['0x2', '3'],
        ],
      },
    ],
  };
  expect(() => read(record, 'calls', calls)).toThrow(
    expect.objectContaining({
      field: 'calls[1].runs[1][1]',
      found: '3',
      expected: `a whole number from 0 to ${LARGEST}`,
    }),
  );
  expect(() => read({}, 'size', count)).toThrow(expect.objectContaining({ field: 'size', found: undefined }));
});

test('a number that would be rounded is refused where each one counts', () => {
  expect(read({ pfn: '0x1fffffffffffff' }, 'pfn', exactHexNumber)).toBe(2 ** 53 - 1);
  for (const pfn of ['0x20000000000000', '0x7fffffffffffff', '0xffffffffffffffff']) {
    expect(() => read({ a: [pfn] }, 'a', listOf(exactHexNumber))).toThrow(
      expect.objectContaining({ field: 'a[0]', found: pfn, isOutsideModel: true }),
    );
  }
  expect(() => read({ pfn: 'x' }, 'pfn', exactHexNumber)).toThrow(
    expect.objectContaining({ field: 'pfn', isOutsideModel: false }),
  );
});

test('an error of another kind is left as it is', () => {
  const broken: Reader<never> = () => {
    throw new RangeError('broken');
  };
  expect(() => read({ a: [{ b: 1 }] }, 'a', listOf(objectOf({ b: broken })))).toThrow(RangeError);
});

test('only a string names a kind', () => {
  expect(kindWord({ op: 'map' }, 'op')).toBe('map');
  for (const op of [['map'], null, 1, {}, undefined]) expect(kindWord({ op }, 'op')).not.toBe('map');
});
