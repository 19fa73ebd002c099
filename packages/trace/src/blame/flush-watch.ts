// FlushWatch: when the IOMMU's cache was emptied, as far as the trace shows it.
// Source followed: drivers/iommu/intel/trace.h; the flush queue of lazy mode flushes a whole domain at once.
// Simplified: whole flushes of all domains count alike, and only the last 4096 of them are remembered.

import type { TraceEvent } from '../trace-event.ts';

const MOST = 4096;

/**
 * Strict or lazy, told from the flushes; `unknown` when the trace has no flush lines.
 * @public
 */
export type FlushMode = 'strict' | 'lazy' | 'unknown';

/**
 * Watches the flush lines of VT-d.
 * @internal
 */
export class FlushWatch {
  #rangeFlushes = 0;
  #wholeFlushes = 0;
  readonly #times = new Float64Array(MOST);
  readonly #lines = new Float64Array(MOST);

  accept(event: TraceEvent): void {
    if (event.name !== 'cache_tag_flush_range' && event.name !== 'cache_tag_flush_all') return;
    const whole = event.name === 'cache_tag_flush_all' || (event.rangeStart === 0 && event.rangeLast === -1);
    if (!whole) {
      this.#rangeFlushes += 1;
      return;
    }
    this.#times[this.#wholeFlushes % MOST] = event.time;
    this.#lines[this.#wholeFlushes % MOST] = event.line;
    this.#wholeFlushes += 1;
  }

  get mode(): FlushMode {
    if (this.#wholeFlushes > 0) return 'lazy';
    return this.#rangeFlushes > 0 ? 'strict' : 'unknown';
  }

  /** Time of the first remembered whole flush behind a line; NaN when there is none. */
  firstAfter(line: number): number {
    const oldest = Math.max(0, this.#wholeFlushes - MOST);
    for (let count = oldest; count < this.#wholeFlushes; count += 1) {
      if ((this.#lines[count % MOST] ?? 0) > line) return this.#times[count % MOST] ?? Number.NaN;
    }
    return Number.NaN;
  }
}
