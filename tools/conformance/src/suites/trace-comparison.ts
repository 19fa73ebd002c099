// TraceComparison: what the model did, printed as kernel trace text, against the trace beside a record file.
// Field meanings: vectors/kernel/README.md, section inv. After each record the lines of the model since the last one
// are compared with as many lines of the trace, in order; a difference belongs to the record in progress.
// Lines that do not agree are aligned first, so that one difference is one mismatch.
// Simplified: of events outside the README's table a file is compared only when its trace shows that they were on.

import type { EventLog } from '@sgfree/hw-model';
import { traceLine } from '@sgfree/trace';
import type { ComparedAmount, FileContext, JsonRecord } from '../suite.ts';
import { comparableText } from './comparable-line.ts';
import type { RecordedOutput } from './dma-recorded-output.ts';
import { alignLines } from './line-alignment.ts';
import { type RecordedTrace, type RecordedTraceLine, recordedTrace, traceNameOf } from './recorded-trace.ts';

/** Events that every trace of this kind was recorded with. */
const recordedEvents = [
  'map',
  'unmap',
  'cache_tag_flush_range',
  'cache_tag_flush_range_np',
  'qi_submit',
  'dma_map_phys',
  'dma_unmap_phys',
  'dma_map_sg',
  'dma_unmap_sg',
  'dma_alloc',
  'dma_free',
];

/** So many recorded lines more than computed ones are looked at when they no longer agree. */
const LINES_AHEAD = 32;

/** The comparison for the file of a header; null when there is no trace beside it. */
export function traceComparison(
  header: JsonRecord,
  context: FileContext | undefined,
  log: EventLog,
): TraceComparison | null {
  const trace = context?.readSibling(traceNameOf(context)) ?? null;
  if (trace === null || context === undefined) return null;
  return new TraceComparison(recordedTrace(header, context, trace), log);
}

/** Compares an event log with recorded lines, piece by piece. */
export class TraceComparison {
  /** Recorded lines that were reproduced. */
  agreed = 0;
  readonly #expected: readonly RecordedTraceLine[];
  readonly #others: number;
  readonly #unreadable: readonly number[];
  readonly #knowsDomain: boolean;
  readonly #log: EventLog;
  readonly #compared: ReadonlySet<string>;
  #at = 0;

  constructor({ lines, others, unreadable, knowsDomain }: RecordedTrace, log: EventLog) {
    this.#expected = lines;
    this.#others = others;
    this.#unreadable = unreadable;
    this.#knowsDomain = knowsDomain;
    this.#log = log;
    this.#compared = new Set([...recordedEvents, ...lines.map(({ event }) => event)]);
  }

  /** Recorded lines that no event was compared with so far. */
  get left(): number {
    return this.#expected.length - this.#at;
  }

  /** What was compared, for the report. */
  get amounts(): readonly ComparedAmount[] {
    const amount = { what: 'trace lines', same: this.agreed, of: this.#expected.length };
    return [this.#others === 0 ? amount : { ...amount, note: `${this.#others} lines of others left out` }];
  }

  /** Compares what the log has gained, and empties it. */
  compare(output: RecordedOutput): void {
    const got = this.#takeLines();
    let same = 0;
    while (same < got.length && this.#expected[this.#at + same]?.text === got[same]) same += 1;
    this.#at += same;
    this.agreed += same;
    if (same < got.length) this.#align(got.slice(same), output);
  }

  /** The end of the file: nothing of the trace may be left, and all of it must have been readable. */
  finish(output: RecordedOutput): void {
    this.compare(output);
    const left = this.#expected.slice(this.#at);
    if (left[0] !== undefined) this.#report(left[0], undefined, null, output);
    output.check('trace lines not reached', 0, left.length);
    output.check('unreadable trace lines', [], this.#unreadable);
    this.#log.enabled = false;
  }

  #takeLines(): string[] {
    const lines = this.#log.events.flatMap((event) => {
      const line = this.#compared.has(event.kind.slice(event.kind.indexOf(':') + 1))
        ? traceLine(event)
        : undefined;
      return line === undefined ? [] : [comparableText(line, this.#knowsDomain)];
    });
    this.#log.clear();
    return lines;
  }

  #align(got: readonly string[], output: RecordedOutput): void {
    const recorded = this.#expected.slice(this.#at, this.#at + got.length + LINES_AHEAD);
    const texts = recorded.map(({ text }) => text);
    let passed = 0;
    for (const [column, row] of alignLines(texts, got)) {
      const line = column === null ? undefined : recorded[column];
      if (line !== undefined) passed += 1;
      if (line !== undefined && row !== null && line.text === got[row]) this.agreed += 1;
      else this.#report(line, recorded[passed], row === null ? null : (got[row] ?? null), output);
    }
    this.#at += passed;
  }

  /** A difference at a recorded line, or before the `next` one when there is none. */
  #report(
    line: RecordedTraceLine | undefined,
    next: RecordedTraceLine | undefined,
    got: string | null,
    output: RecordedOutput,
  ): void {
    const place = line?.number ?? (next === undefined ? 'behind the last' : `before ${next.number}`);
    output.check(`trace line ${place}`, line?.text ?? null, got);
  }
}
