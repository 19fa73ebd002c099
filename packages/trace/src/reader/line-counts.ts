// LineCounts: the tally while it is being made.
// Source followed: trace-tally.ts says what each count means.
// Simplified: counts are plain numbers, exact to 2^53.

import type { FormatProgram } from './format-program.ts';
import { type Layout, layouts } from './line-prefix.ts';
import { traceFormats } from './trace-formats.ts';
import { COUNTS_PER_FORMAT, type KernelFinding, kernelOf } from './trace-kernel.ts';
import {
  type TraceClock,
  type TraceLayout,
  type TraceProblem,
  type TraceProblemKind,
  type TraceTally,
  traceProblems,
} from './trace-tally.ts';

/** The counts of a reading, as the reader fills them. */
export class LineCounts implements TraceTally {
  lines = 0;
  bytes = 0;
  eventLines = 0;
  headerLines = 0;
  otherLines = 0;
  problemLines = 0;
  lostEvents = 0;
  overwrittenEvents = 0;
  firstTime = -1;
  lastTime = -1;
  readonly problems: Map<TraceProblemKind, TraceProblem> = new Map();
  /** trace-cmd wrote the lines: it has headings of its own and pads behind event names. */
  traceCmd = false;
  readonly #formats: Float64Array = new Float64Array(traceFormats.length * COUNTS_PER_FORMAT);
  readonly #messages: Map<string, number> = new Map();
  readonly #layouts: Float64Array = new Float64Array(Object.keys(layouts).length);
  #secondsLines = 0;
  #tickLines = 0;

  /** A line became an event of a format; `taken` are the parts of its text, a bit each. */
  event({ index, parts }: FormatProgram, taken: number): void {
    this.eventLines += 1;
    const counts = this.#formats;
    const at = index * COUNTS_PER_FORMAT;
    counts[at] = (counts[at] as number) + 1;
    for (let part = 0; part < parts; part += 1) {
      const place = at + 2 * part + ((taken >>> part) & 1 ? 1 : 2);
      counts[place] = (counts[place] as number) + 1;
    }
  }

  /** A line became an event of the system `console`. */
  message(name: string): void {
    this.eventLines += 1;
    this.#messages.set(name, (this.#messages.get(name) ?? 0) + 1);
  }

  /** An event line had this prefix. */
  layout(layout: Layout): void {
    this.#layouts[layout] = (this.#layouts[layout] as number) + 1;
  }

  /** An event has this time, written with so many digits behind the point. */
  time(time: number, fractionDigits: number): void {
    if (fractionDigits > 0) this.#secondsLines += 1;
    else this.#tickLines += 1;
    if (this.firstTime < 0) this.firstTime = time;
    if (time < this.lastTime) this.note('time-backwards');
    this.lastTime = time;
  }

  /** Something about the current line, by which it is counted when the kind says so. */
  note(kind: TraceProblemKind): void {
    const counted = traceProblems[kind].class;
    if (counted === 'unusable') this.problemLines += 1;
    else if (counted === 'other') this.otherLines += 1;
    const known = this.problems.get(kind);
    const firstLine = known?.firstLine ?? this.lines;
    this.problems.set(kind, { count: (known?.count ?? 0) + 1, firstLine });
  }

  get events(): ReadonlyMap<string, number> {
    const events = new Map<string, number>();
    for (const [index, { system, name }] of traceFormats.entries()) {
      const count = this.#formats[index * COUNTS_PER_FORMAT] as number;
      if (count > 0) events.set(`${system}:${name}`, count);
    }
    for (const [name, count] of this.#messages) events.set(`console:${name}`, count);
    return events;
  }

  get usable(): boolean {
    return [...this.events.keys()].some((name) => !name.startsWith('marker:'));
  }

  get format(): TraceLayout {
    const seen: TraceLayout[] = [];
    if ((this.#layouts[layouts.ftrace] as number) > 0) seen.push(this.traceCmd ? 'trace-cmd' : 'ftrace');
    if ((this.#layouts[layouts.perf] as number) > 0) seen.push('perf');
    if ((this.#layouts[layouts.none] as number) > 0) seen.push('bare');
    return seen.length > 1 ? 'mixed' : (seen[0] ?? 'unknown');
  }

  get clock(): TraceClock {
    if (this.#secondsLines > 0) return this.#tickLines > 0 ? 'mixed' : 'seconds';
    return this.#tickLines > 0 ? 'ticks' : 'none';
  }

  get kernel(): KernelFinding {
    return kernelOf(this.#formats);
  }
}
