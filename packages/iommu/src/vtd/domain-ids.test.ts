// Domain ids: lowest first, given back, preferred where free, and all used up.
import { expect, test } from 'vitest';
import { DomainIds } from './domain-ids.ts';

test('lowest first from 2, and a released one comes next', () => {
  const ids = new DomainIds(16);
  expect([ids.take(), ids.take(), ids.take()]).toEqual([2, 3, 4]);
  ids.release(3);
  expect([ids.take(), ids.take()]).toEqual([3, 5]);
  expect(ids.live).toBe(4);
});

test('a preferred id is taken while it is free and in range', () => {
  const ids = new DomainIds(16);
  expect(ids.take(9)).toBe(9);
  expect(ids.take(9)).toBe(2);
  expect(ids.take(1)).toBe(3);
  expect(ids.take(16)).toBe(4);
  ids.release(9);
  expect(ids.take(9)).toBe(9);
});

test('none is left: -1 until one comes back', () => {
  const ids = new DomainIds(5);
  expect([ids.take(), ids.take(4), ids.take(), ids.take()]).toEqual([2, 4, 3, -1]);
  ids.release(4);
  expect(ids.take()).toBe(4);
});
