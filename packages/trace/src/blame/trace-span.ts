// TraceSpan: from when to when a trace goes, console lines left out: they may come from another time.
// Source followed: none.
// Simplified: the smallest and the largest time, whatever the order of lines.

import type { TraceEvent } from '../trace-event.ts';

/**
 * Nanoseconds (ticks) and lines; -1 before the first.
 * @internal
 */
export class TraceSpan {
  firstTime = -1;
  lastTime = -1;
  lastLine = 0;
  lostEvents = 0;
  /** The clock has no seconds. */
  inTicks = false;

  include({ system, time, line }: TraceEvent): void {
    this.lastLine = line;
    if (time < 0 || system === 'console') return;
    if (this.firstTime < 0 || time < this.firstTime) this.firstTime = time;
    if (time > this.lastTime) this.lastTime = time;
  }
}
