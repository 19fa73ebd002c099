// PrefixTail: what stands between the task and the event name: thread group, CPU, flags, time.
// Source followed: kernel/trace/trace_output.c: `(TGID) [CPU] flags seconds.micro: `, a plain integer for clocks that do
// not count time; trace-cmd -t with nine digits behind the point, trace-cmd -l with CPU and flags glued together.
// Simplified: flags are passed over; a time is rounded to what a double holds.

import type { TraceEvent } from '../trace-event.ts';
import type { ByteCursor } from './byte-cursor.ts';

const SPACE = 0x20;
const PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Columns of flags and of a thread group at most. */
const LONGEST_FLAGS = 12;
const LONGEST_GROUP = 16;
/** Digits of a CPU and of a time at most. */
const LONGEST_CPU = 6;
const LONGEST_TIME = 20;
/** Times are numbers of 64 bits. */
const TIME_LIMIT: number = 2 ** 64;

const NANOSECONDS: readonly number[] = Array.from({ length: 10 }, (_, digits) => 10 ** (9 - digits));

const digitOf = (byte: number | undefined): number => (byte === undefined ? -1 : byte - ZERO);
const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9;

/** Reads the tail of a prefix. */
export class PrefixTail {
  /** Digits behind the point of the last time: 0 for a clock that does not count time. */
  fractionDigits = 0;
  #cpu = -1;
  #time = -1;

  /**
   * Reads from the cursor on and leaves it on the event name; false when the text is no tail. perf has neither flags nor
   * thread groups; without a CPU its event must be named with its system.
   */
  read(cursor: ByteCursor, event: TraceEvent, perf: boolean): boolean {
    this.#cpu = -1;
    if (!perf) skipGroup(cursor);
    if (!this.#readCpu(cursor, perf)) return false;
    if (!perf) skipFlags(cursor);
    if (!this.#readTime(cursor)) return false;
    cursor.skipSpaces();
    if (perf) skipPeriod(cursor);
    if (perf && this.#cpu < 0 && !namesSystem(cursor)) return false;
    event.cpu = this.#cpu;
    event.time = this.#time;
    return true;
  }

  /** `[003] `, `3d..2. ` (up to the flags), or nothing; false when it is neither. */
  #readCpu(cursor: ByteCursor, perf: boolean): boolean {
    const { bytes, end } = cursor;
    const bracket = bytes[cursor.at] === BRACKET;
    let at = bracket ? cursor.at + 1 : cursor.at;
    const from = at;
    let cpu = 0;
    for (; at < end && at - from < LONGEST_CPU; at += 1) {
      const digit = digitOf(bytes[at]);
      if (!isDigit(digit)) break;
      cpu = cpu * 10 + digit;
    }
    if (bracket) {
      if (at === from || bytes[at] !== CLOSE_BRACKET || bytes[at + 1] !== SPACE) return false;
      cursor.at = at + 1;
      cursor.skipSpaces();
      this.#cpu = cpu;
    } else if (!perf && at > from && isGluedFlag(bytes, at)) {
      cursor.at = at;
      this.#cpu = cpu;
    }
    return true;
  }

  #readTime(cursor: ByteCursor): boolean {
    const { bytes, end } = cursor;
    const from = cursor.at;
    let at = from;
    let time = 0;
    for (; at < end && at - from < LONGEST_TIME; at += 1) {
      const digit = digitOf(bytes[at]);
      if (!isDigit(digit)) break;
      time = time * 10 + digit;
    }
    if (at === from) return false;
    let fraction = 0;
    if (bytes[at] === POINT) {
      const point = at + 1;
      for (at = point; at < end && at - point < 9; at += 1) {
        const digit = digitOf(bytes[at]);
        if (!isDigit(digit)) break;
        fraction = fraction * 10 + digit;
      }
      if (at === point) return false;
      this.fractionDigits = at - point;
      time = time * 1e9 + fraction * (NANOSECONDS[at - point] as number);
    } else {
      this.fractionDigits = 0;
    }
    if (at >= end || bytes[at] !== COLON || (at + 1 < end && bytes[at + 1] !== SPACE)) return false;
    if (time >= TIME_LIMIT) return false;
    this.#time = time;
    cursor.at = at + 1;
    return true;
  }
}

/** The first flag is a letter or a point, and no digit follows a point as in a time. */
function isGluedFlag(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] as number;
  if (byte === POINT) return !isDigit(digitOf(bytes[at + 1]));
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

function skipGroup(cursor: ByteCursor): void {
  const { bytes, at } = cursor;
  if (bytes[at] !== PAREN) return;
  const stop = Math.min(cursor.end, at + LONGEST_GROUP);
  for (let place = at; place < stop; place += 1) {
    if (bytes[place] !== CLOSE_PAREN) continue;
    cursor.at = place + 1;
    cursor.skipSpaces();
    return;
  }
}

/** perf -F period: a number alone before the event. */
function skipPeriod(cursor: ByteCursor): void {
  const { bytes, end } = cursor;
  let { at } = cursor;
  while (at < end && isDigit(digitOf(bytes[at]))) at += 1;
  if (at === cursor.at || at >= end || bytes[at] !== SPACE) return;
  cursor.at = at;
  cursor.skipSpaces();
}

function skipFlags(cursor: ByteCursor): void {
  const { bytes, at } = cursor;
  if (isDigit(digitOf(bytes[at]))) return;
  const stop = Math.min(cursor.end, at + LONGEST_FLAGS);
  for (let place = at; place < stop; place += 1) {
    if (bytes[place] !== SPACE) continue;
    cursor.at = place;
    cursor.skipSpaces();
    return;
  }
}

/** The text goes on with `word:word:`. */
export function namesSystem({ bytes, at, end }: ByteCursor): boolean {
  let colons = 0;
  for (let place = at; place < end && bytes[place] !== SPACE; place += 1) {
    if (bytes[place] === COLON) colons += 1;
  }
  return colons === 2 && bytes[at] !== COLON;
}
