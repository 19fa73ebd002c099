// BarMemory: bytes behind a BAR, across pages, within its size.
import { expect, it } from 'vitest';
import { PAGE_SIZE } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import { BarMemory } from './bar-memory.ts';

it('keeps bytes across pages and reads zeros where nothing was written', () => {
  const memory = new BarMemory(4 * PAGE_SIZE);
  expect(memory.mmioWrite(PAGE_SIZE - 2, Uint8Array.of(1, 2, 3, 4))).toBe(true);
  const found = new Uint8Array(6).fill(9);
  expect(memory.mmioRead(PAGE_SIZE - 3, found)).toBe(true);
  expect([...found]).toEqual([0, 1, 2, 3, 4, 0]);
  const untouched = new Uint8Array(2).fill(9);
  memory.mmioRead(3 * PAGE_SIZE, untouched);
  expect([...untouched]).toEqual([0, 0]);
  memory.pageBytes(1)[0] = 7;
  memory.mmioRead(PAGE_SIZE, untouched);
  expect([...untouched]).toEqual([7, 4]);
});

it('refuses what leaves it', () => {
  const memory = new BarMemory(PAGE_SIZE);
  for (const offset of [-1, PAGE_SIZE - 1, PAGE_SIZE]) {
    expect(memory.mmioRead(offset, new Uint8Array(2))).toBe(false);
    expect(memory.mmioWrite(offset, new Uint8Array(2))).toBe(false);
  }
  expect(() => memory.pageBytes(1)).toThrow(InternalError);
  expect(() => memory.pageBytes(-1)).toThrow(InternalError);
});
