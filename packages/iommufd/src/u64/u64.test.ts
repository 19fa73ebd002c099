// 64-bit numbers against bigint arithmetic.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bigintOfU64,
  U64_MAX,
  U64_ZERO,
  u64,
  u64AlignUp,
  u64Compare,
  u64Hex,
  u64Minus,
  u64Number,
  u64OfBigint,
  u64Plus,
  u64RangeOf,
  u64SumWraps,
  u64Within,
} from './u64.ts';

const WRAP = 2n ** 64n;
const anyU64 = fc.oneof(
  fc.bigInt({ min: 0n, max: WRAP - 1n }),
  fc.bigInt({ min: 0n, max: 8192n }),
  fc.bigInt({ min: WRAP - 8192n, max: WRAP - 1n }),
);
const units = fc.integer({ min: 0, max: 21 }).map((order) => 2 ** order);

describe('U64', () => {
  it('keeps every 64-bit number', () => {
    fc.assert(
      fc.property(anyU64, (a) => {
        expect(bigintOfU64(u64OfBigint(a))).toBe(a);
        expect(u64Hex(u64OfBigint(a))).toBe(`0x${a.toString(16)}`);
      }),
    );
  });

  it('adds, subtracts and compares as u64 does', () => {
    fc.assert(
      fc.property(anyU64, anyU64, (a, b) => {
        const [x, y] = [u64OfBigint(a), u64OfBigint(b)];
        expect(bigintOfU64(u64Plus(x, y))).toBe((a + b) % WRAP);
        expect(bigintOfU64(u64Minus(x, y))).toBe((a - b + WRAP) % WRAP);
        expect(Math.sign(u64Compare(x, y))).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(u64SumWraps(x, y)).toBe(a + b >= WRAP);
      }),
    );
  });

  it('aligns to powers of two', () => {
    fc.assert(
      fc.property(anyU64, units, (a, unit) => {
        const up = ((a + BigInt(unit) - 1n) / BigInt(unit)) * BigInt(unit);
        const aligned = u64AlignUp(u64OfBigint(a), unit);
        expect(aligned === null ? null : bigintOfU64(aligned)).toBe(up >= WRAP ? null : up);
        expect(u64Within(u64OfBigint(a), unit)).toBe(Number(a % BigInt(unit)));
      }),
    );
  });

  it('knows its ends', () => {
    expect(u64Hex(U64_MAX)).toBe('0xffffffffffffffff');
    expect(u64Number(u64(2 ** 53 - 1))).toBe(2 ** 53 - 1);
    expect(() => u64Number(U64_MAX)).toThrow();
    expect(u64RangeOf(U64_MAX, u64(2))).toBeNull();
    expect(u64RangeOf(U64_MAX, u64(1))).toEqual({ first: U64_MAX, last: U64_MAX });
    expect(u64Plus(U64_MAX, u64(1))).toEqual(U64_ZERO);
  });
});
