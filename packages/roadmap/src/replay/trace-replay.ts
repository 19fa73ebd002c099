// TraceReplay: the bytes of a trace in, a report out: reader, reconstruction and engine together.
// Source followed: the project's design, `sgfree replay`.
// Times of clocks that do not count time (x86-tsc, counter) are left out: they would let the flush timers run wild.
// Simplified: one trace per object.

import { IoReconstruction, type TraceEvent, TraceReader, type TraceTally } from '@sgfree/trace';
import { ReplayEngine } from './replay-engine.ts';
import type { ReplayPlan } from './replay-plan.ts';
import type { ReplayReport } from './replay-report.ts';

/**
 * Replays one trace. Memory does not grow with its length, but with what is mapped at once.
 * @public
 */
export class TraceReplay {
  readonly #reader: TraceReader;
  readonly #engine: ReplayEngine;
  readonly #reconstruction: IoReconstruction;

  constructor(plan: ReplayPlan = {}) {
    this.#engine = new ReplayEngine(plan);
    this.#reader = new TraceReader((event) => this.#accept(event));
    const { tally } = this.#reader;
    this.#reconstruction = new IoReconstruction(this.#engine, { lostSoFar: () => tally.lostEvents });
  }

  /** What was read so far; it goes on counting. */
  get tally(): TraceTally {
    return this.#reader.tally;
  }

  /** Takes the next bytes of the trace. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** Ends the trace and every run; to be called once. */
  end(): ReplayReport {
    this.#reader.end();
    this.#reconstruction.end();
    return this.#engine.end();
  }

  #accept(event: TraceEvent): void {
    if (event.time >= 0 && this.#reader.tally.clock !== 'seconds') event.time = -1;
    if (event.system === 'swiotlb') this.#engine.bounced(event.device, event.size);
    this.#reconstruction.accept(event);
  }
}
