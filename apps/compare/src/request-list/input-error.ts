// InputError: what is wrong with the user's input, where, what stands there and what was expected.
// Source followed: the house rule for bad user input (a typed error; the command exits 2 with one line).
// Simplified: the first error ends the reading.

import { printable } from './shown-value.ts';

/** Bad user input. `line` is 1-based, 0 = the file as a whole. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly file: string;
  readonly line: number;
  readonly found: string;
  readonly expected: string;

  constructor(file: string, line: number, found: string, expected: string) {
    super(`${printable(file, 4096)}${line > 0 ? `:${line}` : ''}: found ${found}, expected ${expected}`);
    this.file = file;
    this.line = line;
    this.found = found;
    this.expected = expected;
  }
}
