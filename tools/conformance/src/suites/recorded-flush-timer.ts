// RecordedFlushTimer: fires the flush timer of a lazy domain where the kernel's did, which nothing but its trace tells.
// Field meanings: vectors/kernel/README.md, "Lazy mode input": of the trace beside a file only the position and the CPU
// of the lines that flush the whole domain are used. A position is a number of lines of mapping events before it, and
// of lines of flushes and commands since the last of those.
// A ring that runs full flushes too and leaves the same line; the model does that by itself, and its line is used up.
// Simplified: a flush between the last line of one call and the first of the next happened before the next; one behind
// the last line of all happened after the tree was printed, which takes place right after the last call.

import { fqFlushTimeout, type IommuDmaCookie } from '@sgfree/dma-core';
import { EventLog, type ModelEvent } from '@sgfree/hw-model';
import type { FileContext, JsonRecord } from '../suite.ts';
import type { RecordedOutput } from './dma-recorded-output.ts';
import { type RecordedTraceLine, recordedTrace, traceNameOf } from './recorded-trace.ts';

/** One flush of the whole domain. */
export interface RecordedFlush {
  /** Lines of mapping events before it. */
  readonly position: number;
  /** Lines of flushes and commands between the last of those and it. */
  readonly after: number;
  readonly cpu: number;
}

const LAZY = 11;
const LAST_FRAME = 2 ** 52 - 1;
const mappingEvents = new Set([
  'map',
  'unmap',
  'dma_map_phys',
  'dma_unmap_phys',
  'dma_map_sg',
  'dma_unmap_sg',
]);
const flushEvents = new Set(['cache_tag_flush_range', 'cache_tag_flush_range_np', 'qi_submit']);

/** The flushes of the file's domain in the trace beside it; none in strict mode or without a trace. */
export function recordedFlushes(header: JsonRecord, context: FileContext | undefined): RecordedFlush[] {
  if (header['domain_type'] !== LAZY || context === undefined) return [];
  const trace = context.readInput(traceNameOf(context));
  return trace === null ? [] : flushesAmong(recordedTrace(header, context, trace).lines);
}

function flushesAmong(lines: readonly RecordedTraceLine[]): RecordedFlush[] {
  const flushes: RecordedFlush[] = [];
  let position = 0;
  let after = 0;
  for (const { event, cpu, wholeFlush } of lines) {
    if (wholeFlush) {
      if (event !== 'qi_submit') flushes.push({ position, after, cpu });
    } else if (mappingEvents.has(event)) {
      position += 1;
      after = 0;
    } else if (flushEvents.has(event)) {
      after += 1;
    }
  }
  return flushes;
}

/** True for the line of a whole domain in the cache of a unit, of which each flush leaves one. */
const flushesAll = (event: ModelEvent): boolean =>
  event['endFrame'] === LAST_FRAME && event['startFrame'] === 0 && event['type'] === 'iotlb';

/** The event log of a machine, which counts events that leave a line and fires the timer between them. */
export class RecordedFlushTimer {
  readonly log: EventLog;
  readonly #flushes: readonly RecordedFlush[];
  #cookie: IommuDmaCookie | null = null;
  #position = 0;
  #after = 0;
  #next = 0;
  #firing = false;
  /** True from the line of a flush of the whole domain to its last command. */
  #inWholeFlush = false;
  #unrecorded = 0;

  /** The log keeps its events when `keepsEvents` says so; it is switched on where it is needed. */
  constructor(flushes: readonly RecordedFlush[], keepsEvents: boolean = false) {
    this.#flushes = flushes;
    this.log = new CountingLog((event) => this.#count(event), keepsEvents);
    this.log.enabled = flushes.length > 0;
  }

  /** Tells whose timer it is. */
  watch(cookie: IommuDmaCookie): void {
    this.#cookie = cookie;
  }

  /** Before the call of a record: the timer fires as often as it did up to here. A `dump` is no call. */
  advanceTo(record: JsonRecord): void {
    if (record['op'] !== 'dump') this.#advance(Number.POSITIVE_INFINITY);
  }

  /** Fires the flushes up to this position, with at most `after` lines behind it. */
  #advance(after: number): void {
    for (let due = this.#due(after); due !== null; due = this.#due(after)) {
      this.#next += 1;
      this.#fire(due.cpu);
    }
  }

  /** The domain is flushed; unless the timer did it, a ring was full, and that left a line too. */
  noteFlush(): void {
    if (this.#firing || this.#flushes.length === 0) return;
    if (this.#due(Number.POSITIVE_INFINITY) === null) this.#unrecorded += 1;
    else this.#next += 1;
  }

  /** The end of a file: every line must have been reached, and a full ring must have had its line. */
  finish(output: RecordedOutput): void {
    this.#advance(Number.POSITIVE_INFINITY);
    output.check('flushes of the trace not reached', 0, this.#flushes.length - this.#next);
    output.check('full rings without a flush in the trace', 0, this.#unrecorded);
  }

  #due(after: number): RecordedFlush | null {
    const next = this.#flushes[this.#next];
    if (next === undefined || next.position > this.#position) return null;
    return next.position < this.#position || next.after <= after ? next : null;
  }

  #count(event: ModelEvent): void {
    if (this.#firing) return;
    const name = event.kind.slice(event.kind.indexOf(':') + 1);
    if (mappingEvents.has(name)) {
      this.#inWholeFlush = false;
      this.#advance(Number.POSITIVE_INFINITY);
      this.#position += 1;
      this.#after = 0;
    } else if (flushEvents.has(name)) {
      this.#countFlush(event, name);
    }
  }

  #countFlush(event: ModelEvent, name: string): void {
    if (name === 'cache_tag_flush_range' && flushesAll(event)) {
      this.#inWholeFlush = true;
      this.noteFlush();
      return;
    }
    if (name === 'qi_submit' && this.#inWholeFlush) return;
    this.#inWholeFlush = false;
    this.#advance(this.#after);
    this.#after += 1;
  }

  #fire(cpu: number): void {
    if (this.#cookie === null) return;
    this.#firing = true;
    fqFlushTimeout(this.#cookie, cpu);
    this.#firing = false;
  }
}

/** A log that tells of each event before it is kept, if it is. */
class CountingLog extends EventLog {
  readonly #told: (event: ModelEvent) => void;
  readonly #keeps: boolean;

  constructor(told: (event: ModelEvent) => void, keeps: boolean) {
    super();
    this.#told = told;
    this.#keeps = keeps;
  }

  override post(event: ModelEvent): void {
    if (!this.enabled) return;
    this.#told(event);
    if (this.#keeps) this.events.push(event);
  }
}
