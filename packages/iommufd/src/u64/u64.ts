// U64: an exact 64-bit number as the kernel's `unsigned long` holds it: IOVAs, user addresses and lengths of iommufd.
// Source followed: the house's rule for wide addresses: a page frame (below 2^52) and an offset in the page, no bigint.
// Sums and differences wrap at 2^64 as the kernel's do; where the kernel tests for the wrap, {@link u64SumWraps} tells.
// Simplified: units of alignment are powers of two up to 2 MiB.

import { InternalError, PAGE_SIZE } from '@sgfree/hw-model';

/** Pages of the 64-bit space: 2^52. @internal */
export const U64_PAGES: number = 2 ** 52;
const EXACT_PAGES = 2 ** 41;

/**
 * A 64-bit number: `page` * 4096 + `byte`.
 * @public
 */
export interface U64 {
  /** Bits 63:12. */
  readonly page: number;
  /** Bits 11:0. */
  readonly byte: number;
}

/**
 * An inclusive range of 64-bit numbers.
 * @public
 */
export interface U64Range {
  readonly first: U64;
  /** Inclusive. */
  readonly last: U64;
}

/**
 * Byte `byte` of page `page`.
 * @public
 */
export const u64At = (page: number, byte = 0): U64 => ({ page, byte });

/**
 * A whole number from 0 to 2^53.
 * @public
 */
export function u64(value: number): U64 {
  const page = Math.floor(value / PAGE_SIZE);
  return { page, byte: value - page * PAGE_SIZE };
}

/**
 * Zero.
 * @public
 */
export const U64_ZERO: U64 = u64At(0, 0);

/**
 * 2^64 - 1 (`ULONG_MAX`).
 * @public
 */
export const U64_MAX: U64 = u64At(U64_PAGES - 1, PAGE_SIZE - 1);

/**
 * Negative, zero or positive as `a` is below, at or above `b`.
 * @public
 */
export const u64Compare = (a: U64, b: U64): number => (a.page === b.page ? a.byte - b.byte : a.page - b.page);

/**
 * The smaller of two numbers.
 * @public
 */
export const u64Min = (a: U64, b: U64): U64 => (u64Compare(a, b) <= 0 ? a : b);

/**
 * The greater of two numbers.
 * @public
 */
export const u64Max = (a: U64, b: U64): U64 => (u64Compare(a, b) >= 0 ? a : b);

/**
 * True for zero.
 * @public
 */
export const u64IsZero = (a: U64): boolean => a.page === 0 && a.byte === 0;

/** Brings a page count from -2^52 to 2^53 back below 2^64 bytes. */
const wrapped = (page: number): number =>
  page < 0 ? page + U64_PAGES : page >= U64_PAGES ? page - U64_PAGES : page;

/**
 * `a + b`, modulo 2^64.
 * @public
 */
export function u64Plus(a: U64, b: U64): U64 {
  const bytes = a.byte + b.byte;
  const carry = bytes >= PAGE_SIZE ? 1 : 0;
  return { page: wrapped(a.page + b.page + carry), byte: bytes - carry * PAGE_SIZE };
}

/**
 * `a - b`, modulo 2^64.
 * @public
 */
export function u64Minus(a: U64, b: U64): U64 {
  const bytes = a.byte - b.byte;
  const borrow = bytes < 0 ? 1 : 0;
  return { page: wrapped(a.page - b.page - borrow), byte: bytes + borrow * PAGE_SIZE };
}

const ONE = u64(1);

/**
 * `a + 1`, modulo 2^64.
 * @public
 */
export const u64Next = (a: U64): U64 => u64Plus(a, ONE);

/**
 * `a - 1`, modulo 2^64.
 * @public
 */
export const u64Previous = (a: U64): U64 => u64Minus(a, ONE);

/**
 * True when `a + b` does not fit 64 bits (`check_add_overflow`).
 * @public
 */
export const u64SumWraps = (a: U64, b: U64): boolean => u64Compare(u64Plus(a, b), a) < 0;

/**
 * Bytes of an inclusive range, modulo 2^64: the whole space has none.
 * @public
 */
export const u64Span = ({ first, last }: U64Range): U64 => u64Next(u64Minus(last, first));

/**
 * The range of `length` bytes (not zero) from `first` on; null when it passes 2^64.
 * @public
 */
export function u64RangeOf(first: U64, length: U64): U64Range | null {
  const more = u64Previous(length);
  return u64SumWraps(first, more) ? null : { first, last: u64Plus(first, more) };
}

/**
 * True when two ranges share a number.
 * @public
 */
export const u64Overlap = (a: U64Range, b: U64Range): boolean =>
  u64Compare(a.first, b.last) <= 0 && u64Compare(b.first, a.last) <= 0;

/**
 * The value as a plain number; throws {@link @sgfree/hw-model#InternalError} from 2^53 on.
 * @public
 */
export function u64Number(a: U64): number {
  if (a.page >= EXACT_PAGES) throw new InternalError(`${u64Hex(a)} is too large for a plain number`);
  return a.page * PAGE_SIZE + a.byte;
}

/**
 * `a` modulo `unit`, a power of two up to 2 MiB.
 * @public
 */
export function u64Within(a: U64, unit: number): number {
  if (unit <= PAGE_SIZE) return a.byte & (unit - 1);
  const pages = unit / PAGE_SIZE;
  return (a.page - Math.floor(a.page / pages) * pages) * PAGE_SIZE + a.byte;
}

/**
 * `a` rounded up to a multiple of `unit`, a power of two up to 2 MiB; null past 2^64.
 * @public
 */
export function u64AlignUp(a: U64, unit: number): U64 | null {
  const above = u64Within(a, unit);
  if (above === 0) return a;
  const missing = u64(unit - above);
  return u64SumWraps(a, missing) ? null : u64Plus(a, missing);
}

/**
 * The value as a 64-bit structure member holds it.
 * @public
 */
export const bigintOfU64 = (a: U64): bigint => BigInt(a.page) * 4096n + BigInt(a.byte);

/**
 * The number of a 64-bit structure member; higher bits are dropped.
 * @public
 */
export const u64OfBigint = (value: bigint): U64 => ({
  page: Number((value >> 12n) & 0xfffffffffffffn),
  byte: Number(value & 0xfffn),
});

/**
 * The value as people read it: `0x` and lower-case hex.
 * @public
 */
export function u64Hex({ page, byte }: U64): string {
  const low = byte.toString(16);
  return page === 0 ? `0x${low}` : `0x${page.toString(16)}${low.padStart(3, '0')}`;
}
