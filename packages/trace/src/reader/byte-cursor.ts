// ByteCursor: a place in the bytes of one line, and the reading of numbers and fixed text there.
// Source followed: the number formats of the kernel's vsprintf (%llx, %016llx, %zu, %d) as they occur in trace text.
// The first failure sticks: what is read after it is neutral, so that a format is read straight through and judged once.
// Simplified: numbers end at 2^52; all ones in 64 bits reads as -1.

import { TextPool } from './text-pool.ts';

/** What went wrong on a line; `ended` means that the text stopped before the format did. */
export const failures = { none: 0, ended: 1, wrong: 2, absurd: 3, inconsistent: 4 } as const;

/** One of {@link failures}. */
export type Failure = (typeof failures)[keyof typeof failures];

/** Exclusive bound of addresses and sizes. */
export const NUMBER_LIMIT: number = 2 ** 52;

/** Value of a hexadecimal digit by its byte; 255 for others. */
const DIGIT: Uint8Array = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  DIGIT[digit.charCodeAt(0)] = value;
  DIGIT[digit.toUpperCase().charCodeAt(0)] = value;
}

const POWERS_OF_16: readonly number[] = Array.from({ length: 8 }, (_, power) => 16 ** power);
const ZERO = 0x30;
const SPACE = 0x20;
const MINUS = 0x2d;
/** Digits that fit an integer operation. */
const PIECE = 7;

/** A place in one line. */
export class ByteCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Past the last byte of the line. */
  end = 0;
  failure: Failure = failures.none;
  /** Exclusive end of an I/O address range, for the check against its size. */
  rangeEnd = -1;
  /** Words that lines repeat. */
  readonly pool: TextPool = new TextPool();

  /** Sets the cursor on a line. */
  set(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.failure = failures.none;
  }

  /** The first failure stays. */
  fail(failure: Failure): void {
    if (this.failure === failures.none) this.failure = failure;
  }

  /** Fails as `ended` when nothing is left, else as `wrong`. */
  miss(): void {
    this.fail(this.at >= this.end ? failures.ended : failures.wrong);
  }

  /** True when the line goes on with these bytes; the cursor moves behind them then. */
  take(literal: Uint8Array): boolean {
    const { bytes, at } = this;
    const { length } = literal;
    if (at + length > this.end) return false;
    for (let index = 0; index < length; index += 1) {
      if (bytes[at + index] !== literal[index]) return false;
    }
    this.at = at + length;
    return true;
  }

  /** How many of these bytes the line goes on with. */
  common(literal: Uint8Array): number {
    const { bytes, at, end } = this;
    let index = 0;
    while (index < literal.length && at + index < end && bytes[at + index] === literal[index]) index += 1;
    return index;
  }

  /** Like {@link take}, but it is a failure when the line goes on otherwise. */
  require(literal: Uint8Array): void {
    if (this.take(literal)) return;
    this.at += this.common(literal);
    this.miss();
  }

  skipSpaces(): void {
    const { bytes, end } = this;
    let { at } = this;
    while (at < end && bytes[at] === SPACE) at += 1;
    this.at = at;
  }

  /** Where the word ends that begins here. */
  wordEnd(stop: number): number {
    const { bytes, end } = this;
    let { at } = this;
    for (; at < end; at += 1) {
      const byte = bytes[at];
      if (byte === stop || byte === SPACE) break;
    }
    return at;
  }

  /** The word that ends before `stop` (a byte), a space, or the end; may be empty. */
  word(stop: number): string {
    const from = this.at;
    this.at = this.wordEnd(stop);
    return this.pool.text(this.bytes, from, this.at);
  }

  /** A hexadecimal number without 0x. */
  hex(): number {
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    while (at < end && bytes[at] === ZERO) at += 1;
    const first = this.#piece(at);
    const middle = this.at;
    if (middle - at === PIECE) {
      const second = this.#piece(middle);
      const value = first * (POWERS_OF_16[this.at - middle] as number) + second;
      return this.at - at === 2 * PIECE ? this.#wide(at, value) : this.#bounded(value);
    }
    if (middle === from) this.miss();
    return first;
  }

  /** Up to seven hexadecimal digits from `at` on. */
  #piece(at: number): number {
    const { bytes } = this;
    const stop = Math.min(this.end, at + PIECE);
    let value = 0;
    let place = at;
    for (; place < stop; place += 1) {
      const digit = DIGIT[bytes[place] as number] as number;
      if (digit > 15) break;
      value = (value << 4) | digit;
    }
    this.at = place;
    return value;
  }

  /** Fourteen digits or more: too large for the model, but for all ones. */
  #wide(from: number, value: number): number {
    const { bytes, end } = this;
    let ones = true;
    let at = from;
    for (; at < end; at += 1) {
      const digit = DIGIT[bytes[at] as number] as number;
      if (digit > 15) break;
      ones &&= digit === 15;
    }
    this.at = at;
    if (ones && at - from === 16) return -1;
    return this.#bounded(at - from === 2 * PIECE ? value : Number.POSITIVE_INFINITY);
  }

  #bounded(value: number): number {
    if (value < NUMBER_LIMIT) return value;
    this.fail(failures.absurd);
    return 0;
  }

  /** A decimal number, without a sign. */
  decimal(): number {
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    let value = 0;
    for (; at < end; at += 1) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.at = at;
    if (at === from) this.miss();
    return this.#bounded(value);
  }

  /** A decimal number that may be negative. */
  signedDecimal(): number {
    if (this.bytes[this.at] !== MINUS || this.at >= this.end) return this.decimal();
    this.at += 1;
    return -this.decimal();
  }

  /** A number with 0x before it is hexadecimal, another decimal. */
  anyNumber(): number {
    const { bytes, at } = this;
    if (bytes[at] !== ZERO || bytes[at + 1] !== 0x78 || at + 1 >= this.end) return this.decimal();
    this.at = at + 2;
    return this.hex();
  }

  /** A hexadecimal number of 64 bits as two of 32: the low one goes to `words[index]`, the high one behind it. */
  hexWords(words: number[], index: number): void {
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    let low = 0;
    let high = 0;
    for (; at < end; at += 1) {
      const digit = DIGIT[bytes[at] as number] as number;
      if (digit > 15) break;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
    }
    this.at = at;
    if (at === from) this.miss();
    if (at - from > 16) this.fail(failures.absurd);
    words[index] = low >>> 0;
    words[index + 1] = high >>> 0;
  }
}
