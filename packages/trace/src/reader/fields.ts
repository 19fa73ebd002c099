// The fields of trace events: how the text behind each `{name}` of a format is read into the event.
// Source followed: the kernel's trace text, and libtraceevent, by which trace-cmd and perf print the same records: its
// arrays are decimal numbers with spaces between and no braces, and a symbol that it cannot name is a number.
// Simplified: names of attributes, flags and types are taken as they are.

import type { TraceDirection, TraceEvent } from '../trace-event.ts';
import { type ByteCursor, failures, NUMBER_LIMIT } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';
import { readFaultAddress } from './fault-address.ts';
import { textOf } from './text-pool.ts';

/** Reads one field; `stop` is the byte that follows it (0: the line ends). */
export type FieldReader = (cursor: ByteCursor, event: TraceEvent, stop: number) => void;

const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const NINE = 0x39;
const ZERO = 0x30;

function fullWord(cursor: ByteCursor, stop: number): string {
  const text = cursor.word(stop);
  if (text === '') cursor.miss();
  return text;
}

const directions: readonly TraceDirection[] = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE'];

function readDirection(cursor: ByteCursor, event: TraceEvent, stop: number): void {
  const text = cursor.word(stop);
  const known = directions.indexOf(text as TraceDirection);
  const direction = directions[known >= 0 ? known : /^(?:0x)?[0-3]$/.test(text) ? Number(text) : -1];
  if (direction !== undefined) event.direction = direction;
  else cursor.fail(cursor.at === cursor.end ? failures.ended : failures.wrong);
}

/** `{0x1,0x2}`, or `1 2` as libtraceevent prints it. */
function readList(cursor: ByteCursor, list: number[]): void {
  const { bytes, end } = cursor;
  const braced = cursor.at < end && bytes[cursor.at] === OPEN;
  if (braced) cursor.at += 1;
  let length = 0;
  while (cursor.at < end && cursor.failure === failures.none) {
    const byte = bytes[cursor.at] as number;
    if (byte >= ZERO && byte <= NINE) {
      list[length] = cursor.anyNumber();
      length += 1;
    } else if (byte === COMMA || (byte === SPACE && (braced || isDigit(cursor, cursor.at + 1)))) {
      cursor.at += 1;
    } else {
      break;
    }
  }
  list.length = length;
  if (!braced && (length > 0 || cursor.at < end)) return;
  if (cursor.at < end && bytes[cursor.at] === CLOSE) cursor.at += 1;
  else cursor.miss();
}

const DRIVER_END = bytesOf(' iova=');

/** Names of drivers may hold spaces: the device is the last word before its address. */
function readDriver(cursor: ByteCursor, event: TraceEvent, stop: number): void {
  const { bytes, at, end } = cursor;
  const past = bytes.subarray(at, end).findIndex((_, index, rest) => isAt(rest, index, DRIVER_END));
  const space = past < 0 ? -1 : bytes.subarray(at, at + past).lastIndexOf(SPACE);
  if (past < 0 || space < 0) {
    event.unit = cursor.word(stop);
    if (past < 0) cursor.fail(failures.ended);
    return;
  }
  cursor.at = at + space;
  event.unit = cursor.pool.text(bytes, at, cursor.at);
}

const isAt = (bytes: Uint8Array, at: number, text: Uint8Array): boolean =>
  text.every((byte, index) => bytes[at + index] === byte);

/** A hexadecimal number, or `wide` when it needs more than 52 bits: as a mask it is all that there is, as an end the end. */
function wideOr(cursor: ByteCursor, wide: number): number {
  const from = cursor.at;
  const { failure } = cursor;
  const value = cursor.hex();
  if (failure !== failures.none || cursor.failure !== failures.absurd) return value;
  const digits = textOf(cursor.bytes, from, cursor.at).replace(/^0+/, '');
  if (digits.length > 16 || (wide === NUMBER_LIMIT && digits !== LIMIT_DIGITS)) return value;
  cursor.failure = failures.none;
  return wide;
}

const LIMIT_DIGITS: string = NUMBER_LIMIT.toString(16);

function isDigit({ bytes, end }: ByteCursor, at: number): boolean {
  const byte = bytes[at] as number;
  return at < end && byte >= ZERO && byte <= NINE;
}

function readWords(cursor: ByteCursor, event: TraceEvent): void {
  for (let index = 0; index < 8; index += 2) {
    if (index > 0) cursor.require(SPACE_0X);
    else cursor.require(PREFIX_0X);
    cursor.hexWords(event.words, index);
  }
}

const SPACE_0X: Uint8Array = Uint8Array.of(SPACE, 0x30, 0x78);
const PREFIX_0X: Uint8Array = SPACE_0X.slice(1);

/** Readers by field name. */
export const fieldReaders: Readonly<Record<string, FieldReader>> = {
  device: (cursor, event, stop) => {
    event.device = fullWord(cursor, stop);
  },
  unit: (cursor, event, stop) => {
    event.unit = cursor.word(stop);
  },
  driver: readDriver,
  type: (cursor, event, stop) => {
    event.type = fullWord(cursor, stop);
  },
  direction: readDirection,
  attrs: (cursor, event, stop) => {
    event.attrs = cursor.word(stop);
  },
  gfp: (cursor, event, stop) => {
    event.gfp = cursor.word(stop);
  },
  virtAddr: (cursor, event, stop) => {
    const from = cursor.at;
    cursor.at = cursor.wordEnd(stop);
    event.virtAddr = textOf(cursor.bytes, from, cursor.at);
    if (cursor.at === from) cursor.miss();
  },
  dmaAddr: (cursor, event) => {
    event.dmaAddr = cursor.hex();
  },
  faultAddr: readFaultAddress,
  physAddr: (cursor, event) => {
    event.physAddr = cursor.hex();
  },
  rangeEnd: (cursor) => {
    cursor.rangeEnd = wideOr(cursor, NUMBER_LIMIT);
  },
  size: (cursor, event) => {
    event.size = cursor.decimal();
  },
  unmappedSize: (cursor, event) => {
    event.unmappedSize = cursor.decimal();
  },
  nents: (cursor, event) => {
    event.nents = cursor.decimal();
  },
  fullNents: (cursor, event) => {
    event.fullNents = cursor.decimal();
  },
  ents: (cursor, event) => {
    event.ents = cursor.decimal();
  },
  fullEnts: (cursor, event) => {
    event.fullEnts = cursor.decimal();
  },
  truncated: (_cursor, event) => {
    event.truncated = true;
  },
  dmaAddrs: (cursor, event) => readList(cursor, event.dmaAddrs),
  sizes: (cursor, event) => readList(cursor, event.sizes),
  physAddrs: (cursor, event) => readList(cursor, event.physAddrs),
  code: (cursor, event) => {
    event.code = cursor.signedDecimal();
  },
  hexCode: (cursor, event) => {
    event.code = cursor.hex();
  },
  group: (cursor, event) => {
    event.group = cursor.signedDecimal();
  },
  domainId: (cursor, event) => {
    event.domainId = cursor.signedDecimal();
  },
  pasid: (cursor, event) => {
    event.pasid = cursor.signedDecimal();
  },
  rangeStart: (cursor, event) => {
    event.rangeStart = cursor.hex();
  },
  rangeLast: (cursor, event) => {
    event.rangeLast = cursor.hex();
  },
  blockAddr: (cursor, event) => {
    event.blockAddr = cursor.hex();
  },
  pages: (cursor, event) => {
    event.pages = cursor.hex();
  },
  order: (cursor, event) => {
    event.order = cursor.hex();
  },
  dmaMask: (cursor, event) => {
    event.dmaMask = wideOr(cursor, -1);
  },
  words: readWords,
  forced: (cursor, event, stop) => {
    const text = cursor.word(stop);
    event.forced = text === 'FORCE';
    if (text !== 'FORCE' && text !== 'NORMAL') cursor.miss();
  },
  text: (cursor, event) => {
    event.text = textOf(cursor.bytes, cursor.at, cursor.end);
    cursor.at = cursor.end;
  },
};
