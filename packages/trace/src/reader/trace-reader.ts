// TraceReader: kernel trace text in, events out, through one object that is filled over and over.
// Source followed: what trace, trace_pipe, trace-cmd report and perf script print; line-prefix.ts and trace-formats.ts
// say it in detail. A line is looked at in this order: comment, prefix and event, event alone, note, kernel message.
// Nothing is kept but counts, bounded tables of words and one unfinished line.
// Simplified: what lies between lines is not looked at: an unmap without a map is none of the reader's business.

import { InternalError } from '@sgfree/hw-model';
import { TraceEvent } from '../trace-event.ts';
import { ByteCursor, type Failure, failures } from './byte-cursor.ts';
import { bytesOf } from './bytes-of.ts';
import { clearEvent } from './clear-event.ts';
import { isConsoleLine, readConsoleLine } from './console-line.ts';
import { EventName } from './event-name.ts';
import type { FormatProgram } from './format-program.ts';
import { type HeaderLine, readComment, readNote } from './header-line.ts';
import { isBinary, trimLine } from './line-bytes.ts';
import { LineCounts } from './line-counts.ts';
import { LinePrefix, layouts } from './line-prefix.ts';
import { LineSplitter } from './line-splitter.ts';
import { textOf } from './text-pool.ts';
import type { TraceProblemKind, TraceTally } from './trace-tally.ts';

/**
 * How a trace is read.
 * @public
 */
export interface TraceReaderOptions {
  /** Deliver events that are not taken apart too: system `other`, with their name and text. */
  readonly others?: boolean;
  /** Longer lines are counted and passed over; in bytes, 1 MiB by default. */
  readonly maxLineBytes?: number;
}

const MEBIBYTE = 2 ** 20;
const MARK: Uint8Array = bytesOf('tracing_mark_write: ');

const problemOf: Readonly<Record<Exclude<Failure, 0>, TraceProblemKind>> = {
  [failures.ended]: 'truncated',
  [failures.wrong]: 'bad-field',
  [failures.absurd]: 'absurd-number',
  [failures.inconsistent]: 'inconsistent',
};

/**
 * Reads kernel trace text. Chunks may be cut anywhere, and no input makes it throw; what the callback throws passes
 * through. The event is one object, filled anew for each call: copy what is kept.
 * @public
 */
export class TraceReader {
  readonly #counts: LineCounts = new LineCounts();
  readonly #onEvent: (event: TraceEvent) => void;
  readonly #others: boolean;
  readonly #lines: LineSplitter;
  readonly #event: TraceEvent = new TraceEvent();
  readonly #cursor: ByteCursor = new ByteCursor();
  readonly #prefix: LinePrefix = new LinePrefix();
  readonly #name: EventName = new EventName();
  #ended = false;

  constructor(onEvent: (event: TraceEvent) => void, options: TraceReaderOptions = {}) {
    this.#onEvent = onEvent;
    this.#others = options.others ?? false;
    this.#lines = new LineSplitter(
      options.maxLineBytes ?? MEBIBYTE,
      (bytes, from, end) => this.#line(bytes, from, end),
      () => this.#longLine(),
    );
  }

  /** What was read so far; it goes on counting. */
  get tally(): TraceTally {
    return this.#counts;
  }

  /** Takes the next bytes; every line that ends in them is read before it returns. Throws after {@link TraceReader.end}. */
  push(bytes: Uint8Array): void {
    if (this.#ended) throw new InternalError('the trace has ended');
    this.#counts.bytes += bytes.length;
    this.#lines.push(bytes);
  }

  /** Reads the last line when nothing ended it. Nothing can be pushed afterwards. */
  end(): void {
    this.#ended = true;
    this.#lines.end();
  }

  #longLine(): void {
    this.#counts.lines += 1;
    this.#counts.note('too-long');
  }

  #line(bytes: Uint8Array, from: number, end: number): void {
    const counts = this.#counts;
    counts.lines += 1;
    const cursor = this.#cursor;
    cursor.set(bytes, from, end);
    if (trimLine(cursor, counts.lines === 1)) counts.note('nul-bytes');
    const comment = readComment(cursor);
    if (comment !== undefined) this.#header(comment);
    else if (!this.#prefixedEvent() && !this.#bareEvent()) this.#rest();
  }

  #prefixedEvent(): boolean {
    const event = this.#event;
    event.line = this.#counts.lines;
    const layout = this.#prefix.read(this.#cursor, event);
    if (layout === layouts.none) return false;
    const name = this.#name;
    name.read(this.#cursor);
    this.#counts.layout(layout);
    if (layout === layouts.ftrace && name.padded && name.program?.format.system !== 'marker')
      this.#counts.traceCmd ||= name.program !== undefined;
    clearEvent(event);
    if (name.program !== undefined) this.#known(name.program, true);
    else if (!name.isConsole || !this.#message(event.time)) this.#other();
    return true;
  }

  /** Without the context-info option a line begins with the event; only known ones are believed. */
  #bareEvent(): boolean {
    const cursor = this.#cursor;
    const { at } = cursor;
    cursor.skipSpaces();
    this.#name.read(cursor);
    const { program } = this.#name;
    if (program === undefined) {
      cursor.at = at;
      return false;
    }
    this.#clearAll();
    this.#counts.layout(layouts.none);
    this.#known(program, false);
    return true;
  }

  #clearAll(): void {
    const event = this.#event;
    event.line = this.#counts.lines;
    event.task = '';
    event.cpu = -1;
    event.time = -1;
    clearEvent(event);
  }

  #known(program: FormatProgram, timed: boolean): void {
    const cursor = this.#cursor;
    const event = this.#event;
    const { system, name } = program.format;
    event.system = system;
    event.name = name;
    if (system === 'marker') cursor.take(MARK);
    const taken = program.run(cursor, event);
    if (this.#failed()) return;
    this.#counts.event(program, taken);
    if (timed) this.#counts.time(event.time, this.#prefix.tail.fractionDigits);
    this.#onEvent(event);
  }

  #failed(): boolean {
    const { failure } = this.#cursor;
    if (failure === failures.none) return false;
    this.#counts.note(problemOf[failure]);
    return true;
  }

  /** An event of another system. */
  #other(): void {
    this.#counts.note('unknown-event');
    if (!this.#others) return;
    const cursor = this.#cursor;
    const event = this.#event;
    event.system = 'other';
    event.name = this.#name.text(cursor);
    event.text = textOf(cursor.bytes, cursor.at, cursor.end);
    this.#onEvent(event);
  }

  #rest(): void {
    const cursor = this.#cursor;
    const note = readNote(cursor);
    if (note !== undefined) {
      this.#header(note);
      return;
    }
    this.#clearAll();
    if (this.#message(-1)) return;
    if (isConsoleLine(cursor)) this.#counts.note('console');
    else this.#counts.note(isBinary(cursor) ? 'binary' : 'not-a-trace-line');
  }

  /** A kernel message about DMA; `time` is that of the trace line around it, -1 when there is none. */
  #message(time: number): boolean {
    const event = this.#event;
    if (!readConsoleLine(this.#cursor, event)) return false;
    if (time >= 0) event.time = time;
    if (this.#failed()) return true;
    this.#counts.message(event.name);
    this.#onEvent(event);
    return true;
  }

  #header(header: HeaderLine): void {
    const counts = this.#counts;
    if (this.#failed()) return;
    if (header.kind === 'lost') {
      counts.lostEvents += header.events;
      counts.note('lost-events');
      return;
    }
    counts.headerLines += 1;
    counts.traceCmd ||= header.traceCmd;
    counts.overwrittenEvents += header.overwritten;
    if (header.overwritten > 0) counts.note('overwritten');
  }
}
