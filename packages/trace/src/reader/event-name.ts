// EventName: the name of an event behind the prefix, with or without its system before it.
// Source followed: trace prints `name: `, trace-cmd pads behind the colon, perf prints `system:name: `.
// Simplified: names that several systems have (map, unmap) are told apart by the text that follows.

import type { ByteCursor } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';
import type { FormatProgram } from './format-program.ts';
import { isName, programOf } from './format-table.ts';
import { textOf } from './text-pool.ts';

const SPACE = 0x20;
const COLON = 0x3a;
/** Longer names are none. */
const LONGEST = 64;
const CONSOLE: Uint8Array = bytesOf('console');

/** True for letters, digits, underscores, and the signs that names of events may have. */
const NAME_BYTES: Uint8Array = new Uint8Array(256);
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.')
  NAME_BYTES[char.charCodeAt(0)] = 1;

function nameEnd({ bytes, end }: ByteCursor, from: number): number {
  let at = from;
  const stop = Math.min(end, from + LONGEST);
  while (at < stop && NAME_BYTES[bytes[at] as number] === 1) at += 1;
  return at < end && bytes[at] === COLON ? at : from;
}

/** The name read last. */
export class EventName {
  /** The program for the event, when the reader takes it apart. */
  program: FormatProgram | undefined = undefined;
  /** The text stands further behind the colon than one space. */
  padded = false;
  /** It is printk's event that carries a kernel message. */
  isConsole = false;
  #from = 0;
  #end = 0;

  /** Moves the cursor behind the name, to the text of the event; it stays when there is no name. */
  read(cursor: ByteCursor): void {
    const { bytes } = cursor;
    const from = cursor.at;
    const end = nameEnd(cursor, from);
    this.#from = from;
    this.#end = end;
    this.program = undefined;
    this.padded = false;
    this.isConsole = false;
    if (end === from) return;
    cursor.at = end + 1;
    const second = this.#systemBefore(cursor, end + 1);
    if (second > 0) {
      this.#from = end + 1;
      this.#end = second;
      cursor.at = second + 1;
    }
    const textAt = cursor.at;
    cursor.skipSpaces();
    this.padded = cursor.at > textAt + 1;
    const program = programOf(bytes, this.#from, this.#end);
    if (program !== undefined && isGuarded(cursor, program) && this.#isSystem(bytes, from, end, program))
      this.program = program;
    this.isConsole = isName(bytes, this.#from, this.#end, CONSOLE);
  }

  /** End of a second name right behind the first colon; 0 when there is none. */
  #systemBefore(cursor: ByteCursor, from: number): number {
    if (cursor.bytes[from] === SPACE) return 0;
    const end = nameEnd(cursor, from);
    return end > from && (end + 1 >= cursor.end || cursor.bytes[end + 1] === SPACE) ? end : 0;
  }

  /** The system before the name, if there is one, is that of the program; markers come from ftrace. */
  #isSystem(bytes: Uint8Array, from: number, end: number, { system }: FormatProgram): boolean {
    return this.#from === from || isName(bytes, from, end, system);
  }

  /** The name as text. */
  text({ bytes }: ByteCursor): string {
    return textOf(bytes, this.#from, this.#end);
  }
}

/** Text that the line must begin with, as far as the line goes. */
function isGuarded({ bytes, at, end }: ByteCursor, { guard }: FormatProgram): boolean {
  for (let index = 0; index < guard.length; index += 1) {
    if (at + index >= end) return true;
    if (bytes[at + index] !== guard[index]) return false;
  }
  return true;
}
