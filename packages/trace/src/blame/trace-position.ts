// TracePosition: where in the trace a fault stands, and what counts as before it.
// Source followed: kernel logs and traces both use seconds since boot, so a console line can be placed among events by time.
// Simplified: a fault outside the trace's own span of time is placed by its line.

import type { RecordedFault } from './recorded-fault.ts';
import type { TraceSpan } from './trace-span.ts';

/**
 * A point of a trace; line and time are -1 when unknown.
 * @public
 */
export interface TracePoint {
  readonly line: number;
  readonly time: number;
  /** `comm-pid`; empty when unknown. */
  readonly task: string;
}

/**
 * The place of a fault. `byTime`: other points are compared by time, lines decide between equal times.
 * @internal
 */
export interface TracePosition {
  readonly line: number;
  readonly time: number;
  readonly byTime: boolean;
}

/** A console line may miss the trace by this much and still be on its clock: 1 s. */
const CLOCK_TOLERANCE = 1e9;

/** The position of a fault in a trace. Ticks order nothing here: console lines use another clock. */
export function positionOf(fault: RecordedFault, span: TraceSpan): TracePosition {
  const { firstTime, lastTime, inTicks } = span;
  const { line, time, source } = fault;
  const onClock = time >= firstTime - CLOCK_TOLERANCE && time <= lastTime + CLOCK_TOLERANCE;
  const byTime = !inTicks && time >= 0 && firstTime >= 0 && (source === 'io_page_fault' || onClock);
  return { line, time, byTime };
}

/** True when a point of the trace lies before the position. */
export function isBefore(line: number, time: number, position: TracePosition): boolean {
  if (position.byTime && time >= 0 && time !== position.time) return time < position.time;
  return line < position.line;
}

/** Nanoseconds from a point to the position; NaN when either has no time or their clocks differ. */
export function spanBetween(time: number, position: TracePosition): number {
  return position.byTime && time >= 0 ? position.time - time : Number.NaN;
}
