import { expect, test } from 'vitest';
import { fieldsOutside, locate } from './output-path.ts';

const record = { op: 'x', pair: [7, 8], calls: [{ ret: 1 }, {}], state: { depot: 3 } };

test.each([
  ['op', [['op']]],
  ['pair[1]', [['pair', 1]]],
  ['pair[2]', []],
  [
    'pair[]',
    [
      ['pair', 0],
      ['pair', 1],
    ],
  ],
  ['calls[].ret', [['calls', 0, 'ret']]],
  ['calls[1].ret', []],
  ['state.depot', [['state', 'depot']]],
  ['missing', []],
])('%s', (path, locations) => {
  expect(locate(record, path)).toEqual(locations);
});

test('what no path names is an input', () => {
  expect(fieldsOutside(record, ['pair[1]', 'calls[].ret', 'state'])).toEqual(['op', 'pair[]']);
});
