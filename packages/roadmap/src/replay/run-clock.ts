// RunClock: the clock of a run's machine, driven by the times of the trace.
// Source followed: the kernel's flush timers and depot trimming, which trace time sets off.
// In lazy mode it is exact; in strict mode, where it only trims caches, it moves in milliseconds; in passthrough not at all.
// A point in time is given as TraceTime makes it, once for all runs.
// Simplified: a trace whose times go backwards does not take the clock with it.

import type { Clock } from '@sgfree/hw-model';
import type { ReplayMode } from './replay-plan.ts';

const STEP_MS: Readonly<Record<ReplayMode, number>> = {
  strict: 1,
  lazy: 0,
  passthrough: Number.POSITIVE_INFINITY,
};

/** Lets the time of a trace pass. */
export class RunClock {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #afterTimers: () => void;
  /** True once the trace has said what time it is. */
  hasTimes = false;

  /** `afterTimers` is called each time that timers have fired. */
  constructor(clock: Clock, mode: ReplayMode, afterTimers: () => void) {
    this.#clock = clock;
    this.#stepMs = STEP_MS[mode];
    this.#afterTimers = afterTimers;
  }

  /** It is `ms` milliseconds after the first time of the trace; -1 = nobody knows. */
  passTo(ms: number): void {
    if (ms < 0) return;
    this.hasTimes = true;
    const passed = ms - this.#clock.nowMs;
    if (passed > 0 && passed >= this.#stepMs) this.#runTo(ms);
  }

  /** Lets `ms` more milliseconds pass, a multiple of a 1024th. */
  pass(ms: number): void {
    this.#runTo(this.#clock.nowMs + ms);
  }

  #runTo(ms: number): void {
    const clock = this.#clock;
    for (let due = clock.nextDueMs; due !== undefined && due <= ms; due = clock.nextDueMs) {
      clock.advanceMs(due - clock.nowMs);
      this.#afterTimers();
    }
    clock.advanceMs(ms - clock.nowMs);
  }
}
