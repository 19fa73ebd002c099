// FormatTable: from the bytes of an event name to the program that reads the event.
// Source followed: none; a hash table with open addressing over the names of trace-formats.ts.
// Simplified: names are unique, whatever their system.

import { bytesOf } from './bytes-of.ts';
import { FormatProgram } from './format-program.ts';
import { traceFormats } from './trace-formats.ts';

const PLACES = 256;

interface Entry {
  readonly name: Uint8Array;
  readonly program: FormatProgram;
}

function hashOf(bytes: Uint8Array, from: number, end: number): number {
  let hash = end - from;
  for (let at = from; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> 13)) & (PLACES - 1);
}

/** Bytes `from` up to `end` are `name`. */
export function isName(bytes: Uint8Array, from: number, end: number, name: Uint8Array): boolean {
  if (end - from !== name.length) return false;
  for (let index = 0; index < name.length; index += 1) {
    if (bytes[from + index] !== name[index]) return false;
  }
  return true;
}

const places: (Entry | undefined)[] = Array<Entry | undefined>(PLACES).fill(undefined);

function enter(name: Uint8Array, program: FormatProgram): void {
  let place = hashOf(name, 0, name.length);
  while (places[place] !== undefined) place = (place + 1) & (PLACES - 1);
  places[place] = { name, program };
}

for (const [index, format] of traceFormats.entries()) {
  const program = new FormatProgram(format, index);
  enter(program.name, program);
  // The event behind tracing_mark_write lines is called print; trace-cmd and perf print that name.
  if (format.system === 'marker') enter(bytesOf('print'), program);
}

/** The program for the event with the name in bytes `from` up to `end`. */
export function programOf(bytes: Uint8Array, from: number, end: number): FormatProgram | undefined {
  for (let place = hashOf(bytes, from, end); ; place = (place + 1) & (PLACES - 1)) {
    const entry = places[place];
    if (entry === undefined) return undefined;
    if (isName(bytes, from, end, entry.name)) return entry.program;
  }
}
