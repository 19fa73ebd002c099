// LinePrefix: who, where and when: what stands before the event name of a trace line.
// Source followed: kernel/trace/trace_output.c (trace, trace_pipe), trace-cmd report and perf script:
//   `comm-PID [(TGID)] [[CPU]] [flags] time: event: ` and `comm TID[/TID] [[CPU]] time: system:event: `.
// A command may hold spaces, colons and brackets: the leftmost place from which everything else fits is taken. The bytes
// up to the CPU are mostly those of the line before; they are compared first.
// Simplified: the prefix is looked for in the first bytes only; the columns are not used, nor the meaning of the flags.

import type { TraceEvent } from '../trace-event.ts';
import type { ByteCursor } from './byte-cursor.ts';
import { namesSystem, PrefixTail } from './prefix-tail.ts';
import { TextPool, textOf } from './text-pool.ts';

/** Which program wrote a line, as far as the prefix tells. */
export const layouts = { none: 0, ftrace: 1, perf: 2 } as const;

/** One of {@link layouts}. */
export type Layout = (typeof layouts)[keyof typeof layouts];

/** How far into a line a prefix may reach, in bytes. */
const REACH = 320;
/** Commands are right-aligned in at least so many columns. */
const COMMAND_COLUMNS = 16;

const SPACE = 0x20;
const DASH = 0x2d;
const SLASH = 0x2f;
const COLON = 0x3a;

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** `comm   pid/tid` becomes `comm-tid`, as the kernel writes it. */
function perfTask(bytes: Uint8Array, from: number, end: number): string {
  return textOf(bytes, from, end).replace(/ +(?:-?\d+\/)?(-?\d+)$/, '-$1');
}

/** Reads prefixes, line by line. */
export class LinePrefix {
  /** The part behind the task. */
  readonly tail: PrefixTail = new PrefixTail();
  readonly #perfTasks: TextPool = new TextPool();
  /** The bytes before the tail in the line before, what they meant, and how many they are. */
  readonly #memo: Uint8Array = new Uint8Array(REACH);
  #memoLength = 0;
  #memoTask = '';
  #memoLayout: Layout = layouts.none;

  /** Moves the cursor behind the time, to the event name, and fills task, CPU and time; the cursor stays when nothing fits. */
  read(cursor: ByteCursor, event: TraceEvent): Layout {
    const from = cursor.at;
    if (this.#isMemo(cursor)) {
      cursor.at = from + this.#memoLength;
      if (this.tail.read(cursor, event, this.#memoLayout === layouts.perf)) {
        event.task = this.#memoTask;
        return this.#memoLayout;
      }
    }
    const layout = this.#search(cursor, event, from);
    if (layout === layouts.none) cursor.at = from;
    return layout;
  }

  #isMemo({ bytes, at, end }: ByteCursor): boolean {
    const length = this.#memoLength;
    const memo = this.#memo;
    if (length === 0 || at + length >= end) return false;
    // From the back: a change of the PID is the likeliest.
    for (let index = length - 1; index >= 0; index -= 1) {
      if (bytes[at + index] !== memo[index]) return false;
    }
    return true;
  }

  #keep({ bytes }: ByteCursor, from: number, tailAt: number, task: string, layout: Layout): Layout {
    const length = tailAt - from;
    this.#memoLength = length <= REACH ? length : 0;
    for (let index = 0; index < this.#memoLength; index += 1)
      this.#memo[index] = bytes[from + index] as number;
    this.#memoTask = task;
    this.#memoLayout = layout;
    return layout;
  }

  #search(cursor: ByteCursor, event: TraceEvent, from: number): Layout {
    const { bytes } = cursor;
    const limit = Math.min(cursor.end, from + REACH);
    // The kernel's own column comes first: a command may look like a whole prefix.
    const column = from + COMMAND_COLUMNS;
    if (column < limit && bytes[column] === DASH) {
      const layout = this.#ftrace(cursor, event, from, column);
      if (layout !== layouts.none) return layout;
    }
    for (let at = from + 1; at < limit; at += 1) {
      const byte = bytes[at];
      let layout: Layout = layouts.none;
      if (byte === DASH) layout = this.#ftrace(cursor, event, from, at);
      else if (byte === SPACE) layout = this.#perf(cursor, event, from, at);
      if (layout !== layouts.none) return layout;
    }
    return this.#noTask(cursor, event, from);
  }

  /** perf script with fields chosen so that there is no task: `[[CPU]] time: system:event: `. */
  #noTask(cursor: ByteCursor, event: TraceEvent, from: number): Layout {
    cursor.at = from;
    cursor.skipSpaces();
    if (!this.tail.read(cursor, event, true) || !namesSystem(cursor)) return layouts.none;
    event.task = '';
    return layouts.perf;
  }

  /** A dash before the PID? */
  #ftrace(cursor: ByteCursor, event: TraceEvent, from: number, dash: number): Layout {
    const { bytes, end } = cursor;
    let at = dash + 1;
    // perf right-aligns: behind a space the dash is the sign of a TID that nobody knows.
    const command = commandStart(bytes, from, dash);
    const isColumn = dash === from + COMMAND_COLUMNS;
    if (!isColumn && command < dash && bytes[dash - 1] === SPACE) return layouts.none;
    while (at < end && isDigit(bytes[at])) at += 1;
    if (at === dash + 1 || bytes[at] !== SPACE || at >= end) return layouts.none;
    cursor.at = at;
    cursor.skipSpaces();
    const tailAt = cursor.at;
    if (!this.tail.read(cursor, event, false)) return layouts.none;
    event.task = cursor.pool.text(bytes, command, at);
    return this.#keep(cursor, from, tailAt, event.task, layouts.ftrace);
  }

  /** A space behind the TID? */
  #perf(cursor: ByteCursor, event: TraceEvent, from: number, space: number): Layout {
    const { bytes } = cursor;
    if (!isDigit(bytes[space - 1])) return layouts.none;
    let at = space - 1;
    while (at > from && (isDigit(bytes[at - 1]) || bytes[at - 1] === SLASH || bytes[at - 1] === DASH))
      at -= 1;
    if (at <= from || bytes[at - 1] !== SPACE) return layouts.none;
    const command = skipSpaces(bytes, from, at);
    if (command === at) return layouts.none;
    cursor.at = space;
    cursor.skipSpaces();
    const tailAt = cursor.at;
    if (!this.tail.read(cursor, event, true)) return layouts.none;
    event.task = this.#perfTasks.text(bytes, command, space, perfTask);
    return this.#keep(cursor, from, tailAt, event.task, layouts.perf);
  }
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}

/** Where the command begins: behind the name of a trace instance, `NAME: ` before the columns of the command. */
function commandStart(bytes: Uint8Array, from: number, dash: number): number {
  for (let at = from; at < dash - COMMAND_COLUMNS - 1; at += 1) {
    if (bytes[at] === COLON && bytes[at + 1] === SPACE) return skipSpaces(bytes, at + 1, dash);
  }
  return skipSpaces(bytes, from, dash);
}
