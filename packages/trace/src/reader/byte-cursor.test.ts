import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { ByteCursor, failures } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';

function cursorOn(text: string): ByteCursor {
  const cursor = new ByteCursor();
  cursor.set(bytesOf(`##${text}\n`), 2, 2 + text.length);
  return cursor;
}

const wide = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const anyWidth = fc.oneof(
  wide,
  fc.bigInt({ min: 0n, max: 2n ** 52n }),
  fc.bigInt({ min: 2n ** 51n, max: 2n ** 54n }),
);

/** What a number of 64 bits is to the model. */
function expectNumber(cursor: ByteCursor, read: number, value: bigint, allOnes: boolean): void {
  const absurd = value >= 2n ** 52n && !allOnes;
  expect(cursor.failure).toBe(absurd ? failures.absurd : failures.none);
  if (!absurd) expect(read).toBe(allOnes ? -1 : Number(value));
}

test.prop([anyWidth, fc.nat(20), fc.boolean()])('hexadecimal numbers', (value, zeros, upper) => {
  const digits = '0'.repeat(zeros) + value.toString(16);
  const cursor = cursorOn(`${upper ? digits.toUpperCase() : digits} x`);
  expectNumber(cursor, cursor.hex(), value, value === 2n ** 64n - 1n);
  expect(cursor.at).toBe(2 + digits.length);
});

test.prop([anyWidth, fc.nat(20)])('decimal numbers', (value, zeros) => {
  const digits = '0'.repeat(zeros) + value.toString();
  const cursor = cursorOn(`${digits},`);
  expectNumber(cursor, cursor.decimal(), value, false);
  expect(cursor.at).toBe(2 + digits.length);
});

test.prop([wide])('numbers of 64 bits as two words', (value) => {
  const words = [0, 0, 0, 0];
  const cursor = cursorOn(value.toString(16));
  cursor.hexWords(words, 2);
  expect(words).toEqual([0, 0, Number(value & 0xffffffffn), Number(value >> 32n)]);
  expect(cursor.failure).toBe(failures.none);
});

describe('a cursor', () => {
  it('reads -1 in all ones of 64 bits only', () => {
    expect(cursorOn('ffffffffffffffff').hex()).toBe(-1);
    for (const text of ['fffffffffffffff', 'fffffffffffffffff', 'f'.repeat(40)]) {
      const cursor = cursorOn(text);
      expect(cursor.hex()).toBe(0);
      expect(cursor.failure).toBe(failures.absurd);
    }
  });

  it.each(['hex', 'decimal', 'signedDecimal', 'anyNumber'] as const)('misses a number: %s', (read) => {
    const wrong = cursorOn('x1');
    wrong[read]();
    expect(wrong.failure).toBe(failures.wrong);
    const ended = cursorOn('');
    ended[read]();
    expect(ended.failure).toBe(failures.ended);
  });

  it('keeps its first failure', () => {
    const cursor = cursorOn('x');
    cursor.decimal();
    cursor.fail(failures.absurd);
    expect(cursor.failure).toBe(failures.wrong);
  });

  it('reads signs and both kinds of numbers', () => {
    expect(cursorOn('-12').signedDecimal()).toBe(-12);
    expect(cursorOn('0x12').anyNumber()).toBe(18);
    expect(cursorOn('12').anyNumber()).toBe(12);
    expect(cursorOn('0').anyNumber()).toBe(0);
  });

  it('never reads beyond its line', () => {
    const cursor = new ByteCursor();
    cursor.set(bytesOf('12345678901234567890'), 0, 3);
    expect(cursor.hex()).toBe(0x123);
    cursor.set(bytesOf('word'), 0, 2);
    expect(cursor.take(bytesOf('wor'))).toBe(false);
    cursor.require(bytesOf('wor'));
    expect(cursor.failure).toBe(failures.ended);
    expect(cursor.at).toBe(2);
  });
});
