// Addresses: the bound of every space, and arithmetic that stays exact far above 2^32.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  ADDRESS_LIMIT,
  addOffset,
  alignDown,
  alignUp,
  byteDistance,
  dmaAddr,
  dmaOfFrame,
  frameOf,
  hex,
  offsetWithin,
  PAGE_SIZE,
  pciBusAddr,
  physAddr,
  physOfFrame,
} from './addresses.ts';
import { InternalError } from './internal-error.ts';

describe('the bound of a space', () => {
  it.each([-1, ADDRESS_LIMIT, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d in every space', (raw) => {
    for (const take of [physAddr, dmaAddr, pciBusAddr]) expect(() => take(raw)).toThrow(InternalError);
  });

  it('admits the first and the last byte', () => {
    expect([physAddr(0), dmaAddr(ADDRESS_LIMIT - 1)]).toEqual([0, ADDRESS_LIMIT - 1]);
  });

  it('holds for sums too', () => {
    expect(() => addOffset(physAddr(ADDRESS_LIMIT - 1), 1)).toThrow(InternalError);
    expect(() => addOffset(physAddr(1), -2)).toThrow(InternalError);
    expect(() => physOfFrame(ADDRESS_LIMIT / PAGE_SIZE)).toThrow(InternalError);
  });
});

const address = fc.maxSafeNat().map((raw) => raw % (ADDRESS_LIMIT - 2 ** 21));
const unit = fc.integer({ min: 0, max: 21 }).map((shift) => 2 ** shift);

test.prop([address, unit])('agrees with 64-bit integer arithmetic', (raw, size) => {
  const [value, big] = [BigInt(raw), BigInt(size)];
  expect(BigInt(alignDown(raw, size))).toBe((value / big) * big);
  expect(BigInt(alignUp(raw, size))).toBe(((value + big - 1n) / big) * big);
  expect(BigInt(offsetWithin(raw, size))).toBe(value & (big - 1n));
  expect(hex(raw)).toBe(`0x${value.toString(16)}`);
});

test.prop([address])('splits into frame and offset and joins again', (raw) => {
  const [frame, offset] = [frameOf(physAddr(raw)), offsetWithin(raw, PAGE_SIZE)];
  expect(physOfFrame(frame, offset)).toBe(raw);
  expect(dmaOfFrame(frame, offset)).toBe(raw);
  expect(byteDistance(physOfFrame(frame), physAddr(raw))).toBe(offset);
});
