import { expect, test } from 'vitest';
import { IovaMagazine } from './iova-magazine.ts';

test('a pop takes the newest entry within the limit and closes the hole with the newest of all', () => {
  const magazine = new IovaMagazine();
  for (const pfn of [10, 50, 20, 60, 70]) magazine.push(pfn);
  const contents = (): number[] => [...magazine.pfns.subarray(0, magazine.size)];
  expect(magazine.pop(30)).toBe(20);
  expect(contents()).toEqual([10, 50, 70, 60]);
  expect(magazine.pop(9)).toBe(0);
  expect(magazine.pop(70)).toBe(60);
  expect(magazine.pop(10)).toBe(10);
  expect(contents()).toEqual([70, 50]);
});
