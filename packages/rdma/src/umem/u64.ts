// U64: a 64-bit number of the kernel as two 32-bit halves, for the few places where addresses reach beyond 2^53.
// Source followed: the u64 arithmetic of drivers/infiniband/core/umem.c; sums wrap at 2^64.
// Simplified: only what page-size selection needs.

import { InternalError } from '@sgfree/hw-model';

/**
 * A 64-bit number; both halves are unsigned.
 * @public
 */
export interface U64 {
  readonly high: number;
  readonly low: number;
}

/** Halves of a non-negative integer below 2^53, or of a power of two below 2^64. @internal */
export function u64(value: number | U64): U64 {
  if (typeof value !== 'number') return value;
  if (!(value >= 0 && value < 2 ** 64)) throw new InternalError(`${value} has no 64 bits`);
  const high = Math.floor(value / 2 ** 32);
  return { high, low: value - high * 2 ** 32 };
}

/** The sum modulo 2^64; `bytes` is an integer of either sign below 2^53. @internal */
export function u64Add(a: U64, bytes: number): U64 {
  const carry = Math.floor(bytes / 2 ** 32);
  const low = a.low + (bytes - carry * 2 ** 32);
  const over = low >= 2 ** 32 ? 1 : 0;
  return { high: (a.high + carry + over) >>> 0, low: low - over * 2 ** 32 };
}

/** True when the sum with `bytes` (below 2^53, not negative) passes 2^64. @internal */
export const u64AddOverflows = (a: U64, bytes: number): boolean => {
  const sum = u64Add(a, bytes);
  return sum.high < a.high || (sum.high === a.high && sum.low < a.low);
};

/** @internal */
export const u64Xor = (a: U64, b: U64): U64 => ({
  high: (a.high ^ b.high) >>> 0,
  low: (a.low ^ b.low) >>> 0,
});

/** @internal */
export const u64Or = (a: U64, b: U64): U64 => ({ high: (a.high | b.high) >>> 0, low: (a.low | b.low) >>> 0 });

/** @internal */
export const u64And = (a: U64, b: U64): U64 => ({
  high: (a.high & b.high) >>> 0,
  low: (a.low & b.low) >>> 0,
});

/** 1-based number of the highest set bit, 0 for none. @internal */
export const u64Fls = ({ high, low }: U64): number =>
  high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(low);

/** Number of the lowest set bit; 64 for none. @internal */
export const u64Ctz = ({ high, low }: U64): number => {
  if (low !== 0) return 31 - Math.clz32(low & -low);
  return high !== 0 ? 63 - Math.clz32(high & -high) : 64;
};

/** Bits `from` to 63; none for 64. @internal */
export const u64BitsFrom = (from: number): U64 => ({
  high: from >= 64 ? 0 : from <= 32 ? 0xffffffff : (0xffffffff << (from - 32)) >>> 0,
  low: from >= 32 ? 0 : (0xffffffff << from) >>> 0,
});

/** Bits 0 to `last`. @internal */
export const u64BitsTo = (last: number): U64 => u64Not(u64BitsFrom(last + 1));

const u64Not = ({ high, low }: U64): U64 => ({ high: ~high >>> 0, low: ~low >>> 0 });

/** The value modulo `unit`, a power of two; exact up to units of 2^53. @internal */
export function u64Within({ high, low }: U64, unit: number): number {
  if (unit <= 2 ** 32) return low - Math.floor(low / unit) * unit;
  const top = unit / 2 ** 32;
  return (high - Math.floor(high / top) * top) * 2 ** 32 + low;
}

/**
 * Page sizes a device has, as a bitmap; each a power of two.
 * @public
 */
export const pageSizeBitmap = (...sizes: readonly number[]): U64 =>
  sizes.reduce<U64>((bits, size) => u64Or(bits, u64(size)), { high: 0, low: 0 });

/**
 * Every page size there could be.
 * @public
 */
export const ALL_PAGE_SIZES: U64 = { high: 0xffffffff, low: 0xffffffff };
