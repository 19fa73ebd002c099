// The kernel's tests of a context as a whole, row by row; `context-table.test.ts` goes into more of each.
import { expect, it } from 'vitest';
import { AbiWorld } from '../abi-world.ts';
import { CONTEXT_ROWS } from '../tables/g-context-rows.ts';
import { CONTEXT_PLAYS } from './context-plays.ts';

it.each(CONTEXT_ROWS)('$key', ({ key, answers }) => {
  const world = new AbiWorld();
  expect(CONTEXT_PLAYS[key]?.(world)).toEqual(answers);
  expect(world.violations).toBe(0);
});

it('plays every row, and nothing else', () => {
  expect(Object.keys(CONTEXT_PLAYS)).toEqual(CONTEXT_ROWS.map(({ key }) => key));
});
