import { expect, test } from 'vitest';
import { eitherControl, sameControl } from './acs-control-now.ts';

test('a register that has one of two values is open where they differ, or where one of them is', () => {
  const either = eitherControl({ value: 0x1d, unknownBits: 0 }, { value: 0x11, unknownBits: 0x40 });
  expect(either).toEqual({ value: 0x11, unknownBits: 0x4c });
  expect(sameControl(either, { value: 0x11, unknownBits: 0x4c })).toBe(true);
  expect(sameControl(either, { value: 0x11, unknownBits: 0 })).toBe(false);
});
