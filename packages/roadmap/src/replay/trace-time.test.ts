// Times of traces as milliseconds: from the first on, in exact parts, absurd ones left out.
import { expect, it } from 'vitest';
import { TraceTime } from './trace-time.ts';

it('counts milliseconds from the first time, in parts of 1/1024', () => {
  const time = new TraceTime();
  expect(time.msOf(-1)).toBe(-1);
  expect(time.msOf(5_000_000)).toBe(0);
  expect(time.msOf(7_500_000)).toBe(2.5);
  expect(time.msOf(7_500_000)).toBe(2.5);
  expect(time.msOf(7_500_001)).toBe(2.5);
  expect(time.msOf(7_501_000) * 1024).toBe(2561);
  expect(time.msOf(-1)).toBe(-1);
});

it('does not believe times before the first, or 34 years later', () => {
  const time = new TraceTime();
  time.msOf(1e9);
  expect(time.msOf(1e9 - 1)).toBe(-1);
  expect(time.msOf(2 ** 52 + 2 ** 61)).toBe(-1);
  expect(time.msOf(3e9)).toBe(2000);
});
