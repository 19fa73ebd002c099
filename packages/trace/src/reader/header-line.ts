// Lines of a trace that are no events: headings, and notes about lost events.
// Source followed: kernel/trace/trace.c (`#` lines, `entries-in-buffer/entries-written`, `CPU:n [LOST k EVENTS]`,
// `CPU:n [LINE TOO BIG]`) and trace-cmd report (`version = `, `cpus=`, `CPU n is empty`,
// `CPU:n [k EVENTS DROPPED]`).
// Simplified: of the heading only the counts of the buffer are read.

import { type ByteCursor, failures, NUMBER_LIMIT } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';
import { textOf } from './text-pool.ts';

const HASH = 0x23;
/** Longer lines are neither. */
const LONGEST = 200;
const ENTRIES = /^#\s*entries-in-buffer\/entries-written: (\d+)\/(\d+)/;
const TRACE_CMD = /^(?:cpus=\d+|version = \d+|CPU \d+ is empty)$/;
const LOST = /^CPU: ?\d+ \[(?:LOST (?:(\d+) )?EVENTS|(?:(\d+) )?EVENTS DROPPED|LINE TOO BIG)\]$/;

/** All of these begin with `CPU`, `cpus` or `version`. */
const FIRST_BYTES: Uint8Array = bytesOf('Ccv');

/** What a line without an event says. */
export type HeaderLine =
  | { readonly kind: 'header'; readonly traceCmd: boolean; readonly overwritten: number }
  | { readonly kind: 'lost'; readonly events: number };

const plain: HeaderLine = { kind: 'header', traceCmd: false, overwritten: 0 };

/** A comment: it begins with `#`. */
export function readComment(cursor: ByteCursor): HeaderLine | undefined {
  const { bytes, at, end } = cursor;
  if (at === end) return plain;
  if (bytes[at] !== HASH) return undefined;
  const found = end - at <= LONGEST ? ENTRIES.exec(textOf(bytes, at, end)) : null;
  if (found === null) return plain;
  const overwritten = Math.max(0, Number(found[2]) - Number(found[1]));
  return { kind: 'header', traceCmd: false, overwritten: overwritten < NUMBER_LIMIT ? overwritten : 0 };
}

/** A heading of trace-cmd, or a note about lost events. A number beyond all bounds is a failure of the cursor. */
export function readNote(cursor: ByteCursor): HeaderLine | undefined {
  const { bytes, at, end } = cursor;
  if (end - at > LONGEST || !FIRST_BYTES.includes(bytes[at] ?? 0)) return undefined;
  const text = textOf(bytes, at, end);
  if (TRACE_CMD.test(text)) return { kind: 'header', traceCmd: true, overwritten: 0 };
  const found = LOST.exec(text);
  if (found === null) return undefined;
  const events = Number(found[1] ?? found[2] ?? 1);
  if (events >= NUMBER_LIMIT) cursor.fail(failures.absurd);
  return { kind: 'lost', events };
}
