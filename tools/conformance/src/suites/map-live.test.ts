import { expect, test } from 'vitest';
import { LiveMappings } from './map-live.ts';

test('where a mapping is taken out the last one moves in', () => {
  const live = new LiveMappings();
  const undone: number[] = [];
  for (const id of [1, 2, 3, 4]) live.add(id, () => undone.push(id));
  live.take(2)();
  expect(live.ids).toEqual([1, 4, 3]);
  live.take(3)();
  expect(live.ids).toEqual([1, 4]);
  expect(undone).toEqual([2, 3]);
  expect(() => live.take(2)).toThrow(RangeError);
});
