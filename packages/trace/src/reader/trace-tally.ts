// TraceTally: what a reader of kernel trace text has seen, line by line. Every line is counted once: as an event, a
// header, a line of something else, or a problem; some remarks are made on lines that are used all the same.
// Source followed: none; the kinds of problems are this reader's own and stay what they are.
// Simplified: of each kind the first line number is kept, not the lines.

import type { KernelFinding } from './trace-kernel.ts';

/**
 * Why a line was not used, or what is odd about one that was; stable codes. {@link traceProblems} tells which is which.
 * @public
 */
export type TraceProblemKind =
  | 'truncated'
  | 'bad-field'
  | 'absurd-number'
  | 'inconsistent'
  | 'not-a-trace-line'
  | 'binary'
  | 'too-long'
  | 'lost-events'
  | 'unknown-event'
  | 'console'
  | 'overwritten'
  | 'time-backwards'
  | 'nul-bytes';

/**
 * Where lines of a kind are counted: among those that could not be used, among those of something else, or where they
 * belong anyway, the kind being a remark.
 * @public
 */
export type TraceProblemClass = 'unusable' | 'other' | 'remark';

/**
 * Every kind, how it is counted and what it means.
 * @public
 */
export const traceProblems: Readonly<
  Record<TraceProblemKind, { readonly class: TraceProblemClass; readonly meaning: string }>
> = {
  truncated: { class: 'unusable', meaning: 'the line ends before its event does' },
  'bad-field': { class: 'unusable', meaning: 'a known event whose text is not in its format' },
  'absurd-number': { class: 'unusable', meaning: 'an address or size at or beyond 2^52' },
  inconsistent: { class: 'unusable', meaning: 'the numbers of the line contradict each other' },
  'not-a-trace-line': { class: 'unusable', meaning: 'no event and no kernel message' },
  binary: { class: 'unusable', meaning: 'bytes that are no text' },
  'too-long': { class: 'unusable', meaning: 'a line longer than the limit' },
  'lost-events': { class: 'unusable', meaning: 'the kernel says that events were lost here' },
  'unknown-event': { class: 'other', meaning: 'an event that does not belong to the DMA layer' },
  console: { class: 'other', meaning: 'a kernel message that is not about DMA' },
  overwritten: { class: 'remark', meaning: 'the heading says that the buffer lost its oldest events' },
  'time-backwards': { class: 'remark', meaning: 'an event earlier than the event before it' },
  'nul-bytes': { class: 'remark', meaning: 'NUL bytes before the line' },
};

/**
 * How often a kind was met and where first.
 * @public
 */
export interface TraceProblem {
  readonly count: number;
  /** Line of the input, from 1. */
  readonly firstLine: number;
}

/**
 * Which program wrote the lines: `ftrace` stands for trace and trace_pipe, `bare` for lines that begin with the event.
 * @public
 */
export type TraceLayout = 'ftrace' | 'trace-cmd' | 'perf' | 'bare' | 'mixed' | 'unknown';

/**
 * What the clock of the trace counts; `none` when no line has a time.
 * @public
 */
export type TraceClock = 'seconds' | 'ticks' | 'mixed' | 'none';

/**
 * The counts of one reading. `lines` is the sum of `eventLines`, `headerLines`, `otherLines` and `problemLines`.
 * @public
 */
export interface TraceTally {
  /** All lines, the last one without a line end included. */
  readonly lines: number;
  readonly bytes: number;
  /** Lines that became an event. */
  readonly eventLines: number;
  /** Comments, headings and blank lines. */
  readonly headerLines: number;
  /** Events that are not taken apart and kernel messages of other matters. */
  readonly otherLines: number;
  /** Lines that could not be used, lines about lost events included. */
  readonly problemLines: number;
  /** Events by `system:name`, e.g. `iommu:map`; a new map at each call. */
  readonly events: ReadonlyMap<string, number>;
  /** The kinds that were met. */
  readonly problems: ReadonlyMap<TraceProblemKind, TraceProblem>;
  /** Events that the kernel says were lost on the way; one where it does not say how many. */
  readonly lostEvents: number;
  /** Events that the buffer gave up before it was read, by its heading. */
  readonly overwrittenEvents: number;
  /** Nanoseconds (ticks) of the first and last event with a time; -1 before one. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** True once something of the DMA layer was read: markers alone are not enough. */
  readonly usable: boolean;
  /** Which program wrote the trace. */
  readonly format: TraceLayout;
  /** What the times count. */
  readonly clock: TraceClock;
  /** Which kernel's formats were seen, and by which events it is known. */
  readonly kernel: KernelFinding;
}
