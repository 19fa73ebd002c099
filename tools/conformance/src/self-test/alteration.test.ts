import { expect, test } from 'vitest';
import { alterationSites, alterationsOf, moveHex } from './alteration.ts';
import { fieldsOutside, locate, withValueAt } from './output-path.ts';

test.each([
  ['0x0', '0x1'],
  ['0x00ff', '0x0100'],
  ['deadbeef', 'deadbef0'],
  ['ffffffff', 'fffffffe'],
  ['0xffffffffffffffff', '0xfffffffffffffffe'],
  ['0x8000000000000001', '0x8000000000000002'],
])('%s moves to %s without loss', (from, to) => {
  expect(moveHex(from, 1n)).toBe(to);
});

test('every alteration differs from what was recorded', () => {
  for (const value of [
    0,
    1,
    -22,
    2 ** 53,
    '0x0',
    '0xffffffffffffffff',
    'cache',
    null,
    true,
    [],
    [1],
    [
      [1, 2],
      [1, 2],
    ],
  ]) {
    const alterations = alterationsOf(value, undefined);
    expect(alterations.length).toBeGreaterThan(0);
    for (const { replacement } of alterations) {
      expect(JSON.stringify(replacement)).not.toBe(JSON.stringify(value));
    }
  }
});

test('tuples keep their positions, long lists their ends and middle', () => {
  const paths = [
    ...alterationSites(
      [
        [1, 2],
        [3, 4],
      ],
      ['pt'],
      'pt',
    ),
  ].map(({ path }) => path);
  expect(new Set(paths)).toEqual(new Set(['pt', 'pt[]', 'pt[][0]', 'pt[][1]']));
  const long = [
    ...alterationSites(
      Array.from({ length: 99 }, (_, index) => index),
      [],
      'ids',
    ),
  ];
  expect(long.slice(1).map(({ value }) => value)).toEqual([0, 49, 98]);
});

test('output paths reach into lists and objects', () => {
  const record = { op: 'a', calls: [{ ret: 0, n: 1 }, { n: 2 }], state: { depot: [1] } };
  expect(locate(record, 'calls[].ret')).toEqual([['calls', 0, 'ret']]);
  expect(locate(record, 'state.depot')).toEqual([['state', 'depot']]);
  expect(locate(record, 'absent')).toEqual([]);
  expect(fieldsOutside(record, ['calls[].ret', 'state.depot'])).toEqual(['op', 'calls[].n']);
  expect(withValueAt(record, ['calls', 0, 'ret'], 5).calls[0]?.ret).toBe(5);
  expect(record.calls[0]?.ret).toBe(0);
});
