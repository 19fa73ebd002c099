// The bytes of a line as a whole: what is cut off its ends, and whether it is text at all.
// Source followed: line ends of CRLF files, the UTF-8 mark at the start of a file, NUL bytes that an interrupted write
// leaves in a file.
// Simplified: any control character but a tab and escape, and any byte that UTF-8 never has, makes a line binary.

import type { ByteCursor } from './byte-cursor.ts';

const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const ESCAPE = 0x1b;
const SPACE = 0x20;

/** Cuts off the UTF-8 mark of a first line, spaces and carriage returns at the end, NUL bytes at the start: true if there were any before text. */
export function trimLine(cursor: ByteCursor, first: boolean): boolean {
  const { bytes } = cursor;
  let { at, end } = cursor;
  if (first && end - at >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf)
    at += 3;
  while (end > at && (bytes[end - 1] === SPACE || bytes[end - 1] === CARRIAGE_RETURN)) end -= 1;
  const from = at;
  while (at < end && bytes[at] === 0) at += 1;
  const cut = at > from && at < end;
  cursor.at = cut ? at : from;
  cursor.end = end;
  return cut;
}

function isOdd(byte: number): boolean {
  if (byte < SPACE) return byte !== TAB && byte !== ESCAPE;
  return byte === 0x7f || byte === 0xc0 || byte === 0xc1 || byte >= 0xf5;
}

/** True when the line holds bytes that no text has. */
export function isBinary({ bytes, at, end }: ByteCursor): boolean {
  for (let place = at; place < end; place += 1) {
    if (isOdd(bytes[place] as number)) return true;
  }
  return false;
}
