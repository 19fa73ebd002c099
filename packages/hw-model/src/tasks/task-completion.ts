// TaskCompletion: something that tasks wait for until another one says that it has happened.
// Source followed: the behaviour that kernel code relies on (kernel/sched/completion.c): a completion lets one waiter
// through, a completion of all lets everybody through until it is armed again.
// Simplified: no timeouts; waiters have no order.

import type { ModelTask, YieldPoint } from '../yield-point.ts';

/**
 * A completion.
 * @public
 */
export class TaskCompletion {
  readonly name: string;
  readonly #point: YieldPoint;
  /** Waiters that may still pass. */
  #passes = 0;

  constructor(name: string) {
    this.name = name;
    this.#point = { at: `completion:${name}`, until: () => this.#passes > 0 };
  }

  /** True when a waiter would pass at once. */
  get done(): boolean {
    return this.#passes > 0;
  }

  /** Lets one waiter pass. */
  complete(): void {
    this.#passes += 1;
  }

  /** Lets every waiter pass, now and later. */
  completeAll(): void {
    this.#passes = Number.POSITIVE_INFINITY;
  }

  /** Arms it again: nobody passes until the next completion. */
  reinit(): void {
    this.#passes = 0;
  }

  /** Waits for a completion and takes it. */
  *wait(): ModelTask<void> {
    const point = this.#point;
    yield point;
    this.#passes -= 1;
  }
}
