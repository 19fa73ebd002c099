// One line of a request list: a recorded preadv or pwritev with the exact physical pieces of its buffers.
// Source followed: vectors/kernel/README.md, section io/ ("nvio record").
// Simplified: fields that a comparison does not need (k, errno) may be missing.

import { physAddr } from '@sgfree/hw-model';
import type { IoRecord, MemoryPiece } from '@sgfree/roadmap';
import { z } from 'zod';
import { InputError } from './input-error.ts';
import { printable, shownValue } from './shown-value.ts';

/** Largest number of a line that is taken: exact in a double, and far beyond any disk or memory of the model. */
const MOST = 2 ** 52;

const count = z.number().int().min(0).max(MOST);
const length = z.number().int().min(1).max(MOST);
const address = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/i, 'a hex string such as "0x10ac28000"')
  .transform((text) => Number(text))
  .refine((value) => value < MOST, 'an address below 2^52');

// The lists inside a line are checked element by element, so that the first wrong one ends the reading: a schema of
// the whole would collect an issue for every element, and a line has room for millions.
const nvioLine = z.object({
  k: count.optional(),
  op: z.enum(['read', 'write']),
  pos: count,
  total: length,
  iov: z.array(z.unknown()).min(1),
  ret: z.number().int().optional(),
  errno: z.number().int().optional(),
});
const iovec = z.tuple([length, z.array(z.unknown()).min(1)]);
const piece = z.tuple([address, length]);

/** Most pieces of one call: the pages of the longest one, and one more for each of its 1024 iovecs. */
const MOST_PIECES = 2 ** 19 + 1024;

/** A line as read: the I/O, and what the kernel returned for it (`undefined` = not said). */
export interface ParsedLine {
  readonly line: number;
  readonly io: IoRecord;
  readonly returned: number | undefined;
}

/** Where in which line something stands. */
interface Place {
  readonly file: string;
  readonly line: number;
  readonly path: readonly PropertyKey[];
}

/** Reads one line. Throws {@link InputError}. */
export function parseNvioLine(file: string, line: number, text: string): ParsedLine {
  const record = accepted(nvioLine, parsedJson(file, line, text), { file, line, path: [] });
  const iovecs: MemoryPiece[][] = [];
  let total = 0;
  let count = 0;
  for (const [index, value] of record.iov.entries()) {
    const place = { file, line, path: ['iov', index] };
    const [bytes, values] = accepted(iovec, value, place);
    count += values.length;
    if (count > MOST_PIECES) throw new InputError(file, line, `${count} pieces`, `at most ${MOST_PIECES}`);
    iovecs.push(checkedPieces(values, bytes, place));
    total += bytes;
  }
  if (total !== record.total) {
    throw new InputError(file, line, `iovecs that add up to ${total} bytes`, `total ${record.total}`);
  }
  const io: IoRecord = { operation: record.op, position: record.pos, iovecs };
  return { line, io, returned: record.ret };
}

function checkedPieces(values: readonly unknown[], bytes: number, place: Place): MemoryPiece[] {
  let sum = 0;
  const pieces = values.map((value, index) => {
    const [phys, length] = accepted(piece, value, { ...place, path: [...place.path, 1, index] });
    sum += length;
    return { phys: physAddr(phys), bytes: length };
  });
  if (sum === bytes) return pieces;
  const found = `pieces of iovec ${String(place.path[1])} that add up to ${sum} bytes`;
  throw new InputError(place.file, place.line, found, `${bytes}`);
}

function parsedJson(file: string, line: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(
      file,
      line,
      `text that is not JSON: ${printable(text)}`,
      'one complete JSON object a line',
    );
  }
}

/** The value as the schema reads it. Throws {@link InputError} that names the place. */
function accepted<T>(schema: z.ZodType<T>, value: unknown, { file, line, path }: Place): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const inside = issue === undefined ? [] : issue.path;
  const whole = [...path, ...inside];
  const where = whole.length === 0 ? 'the line' : whole.map(String).join('.');
  throw new InputError(file, line, `${where} = ${shown(value, inside)}`, expectation(issue));
}

/** The value at `path`, as text. */
function shown(value: unknown, path: readonly PropertyKey[]): string {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return 'nothing';
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return shownValue(at);
}

/** What the schema wanted, in the words of a person. */
function expectation(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'a request record';
  const elements = 'origin' in issue && issue.origin === 'array' ? ' elements' : '';
  if (issue.code === 'invalid_type') return article(issue.expected);
  if (issue.code === 'invalid_value') return issue.values.map(String).join(' or ');
  if (issue.code === 'too_small') return `at least ${String(issue.minimum)}${elements}`;
  if (issue.code === 'too_big') return `at most ${String(issue.maximum)}${elements}`;
  return issue.message;
}

function article(type: string): string {
  const names: Readonly<Record<string, string>> = {
    int: 'a whole number',
    number: 'a number',
    string: 'a string',
    array: 'a list',
    tuple: 'a pair',
    object: 'an object with op, pos, total and iov',
  };
  return names[type] ?? type;
}
