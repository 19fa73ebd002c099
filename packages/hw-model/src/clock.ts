// Clock: the machine's only time. Steps order bus activity; milliseconds drive kernel timers.
// Nothing here reads wall time, so a run is a pure function of its inputs.
// Simplified: a step has no fixed length in milliseconds; callers advance each where it matters.

/**
 * A pending timer; see {@link Clock.after}.
 * @public
 */
export interface ClockTimer {
  readonly dueMs: number;
  cancelled: boolean;
}

interface PendingTimer extends ClockTimer {
  readonly run: () => void;
  readonly order: number;
}

/**
 * Step counter and timer wheel of one machine.
 * @public
 */
export class Clock {
  #step = 0;
  #nowMs = 0;
  #armed = 0;
  #pending: PendingTimer[] = [];

  get step(): number {
    return this.#step;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** When the next armed timer fires, in milliseconds; undefined when none is armed. */
  get nextDueMs(): number | undefined {
    let due: number | undefined;
    for (const timer of this.#pending) {
      if (!timer.cancelled && (due === undefined || timer.dueMs < due)) due = timer.dueMs;
    }
    return due;
  }

  /** Counts one bus step and returns its number. */
  tick(): number {
    this.#step += 1;
    return this.#step;
  }

  /** Arms `run` to fire `delayMs` milliseconds from now. */
  after(delayMs: number, run: () => void): ClockTimer {
    const timer = { dueMs: this.#nowMs + delayMs, cancelled: false, run, order: this.#armed };
    this.#armed += 1;
    this.#pending.push(timer);
    return timer;
  }

  /** Lets `ms` milliseconds pass, firing due timers in time order (ties: in arming order). */
  advanceMs(ms: number): void {
    const end = this.#nowMs + ms;
    for (let next = this.#takeDue(end); next !== undefined; next = this.#takeDue(end)) {
      this.#nowMs = next.dueMs;
      next.run();
    }
    this.#nowMs = end;
  }

  #takeDue(endMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    let cancelled = false;
    for (const timer of this.#pending) {
      cancelled ||= timer.cancelled;
      if (timer.cancelled || timer.dueMs > endMs) continue;
      const earlier =
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order);
      if (earlier) first = timer;
    }
    if (first !== undefined) this.#pending.splice(this.#pending.indexOf(first), 1);
    if (cancelled) this.#pending = this.#pending.filter((timer) => !timer.cancelled);
    return first;
  }
}
