// traceText: model events as a whole `trace` file, header and line prefixes included.
// Source followed: kernel/trace/trace_output.c (trace_print_context, trace_print_lat_fmt) with default options: comm and
// pid, CPU, five flag characters, seconds with six digits.
// Simplified: one task on one CPU, in process context with interrupts on; every event is one step of the clock apart.

import type { ModelEvent } from '@sgfree/hw-model';
import { traceLine } from './trace-line.ts';

/**
 * Who is said to have done it all, and when.
 * @public
 */
export interface TraceTextOptions {
  /** Name of the task, at most 15 characters; default `model`. */
  readonly comm?: string;
  /** Default 1. */
  readonly pid?: number;
  /** Default 0. */
  readonly cpu?: number;
  /** Time of the first event in microseconds since boot, default 0. */
  readonly firstMicroseconds?: number;
  /** Microseconds from one event to the next, default 1. */
  readonly stepMicroseconds?: number;
}

const MICROSECONDS = 1_000_000;
const HEADER = '# tracer: nop\n#\n';

function timeText(microseconds: number): string {
  const seconds = Math.floor(microseconds / MICROSECONDS);
  const rest = microseconds - seconds * MICROSECONDS;
  return `${String(seconds).padStart(5)}.${String(rest).padStart(6, '0')}`;
}

/**
 * The text of a trace file with the events that have a line (see {@link traceLine}), in the layout of `trace` and
 * `trace_pipe` with default options.
 * @public
 */
export function traceText(events: readonly ModelEvent[], options: TraceTextOptions = {}): string {
  const { comm = 'model', pid = 1, cpu = 0, firstMicroseconds = 0, stepMicroseconds = 1 } = options;
  const who = `${comm.padStart(16)}-${String(pid).padEnd(7)} [${String(cpu).padStart(3, '0')}] .....`;
  const lines: string[] = [];
  for (const event of events) {
    const text = traceLine(event);
    if (text === undefined) continue;
    const time = timeText(firstMicroseconds + lines.length * stepMicroseconds);
    lines.push(`${who} ${time}: ${text}\n`);
  }
  return HEADER + lines.join('');
}
