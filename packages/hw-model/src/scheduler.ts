// Scheduler: the one place where the tasks of a machine take turns, deterministically.
// Source followed: the project's rule for concurrency: one seeded scheduler, every yield point visible to an explorer.
// A run is a pure function of its inputs and of the choice list it records; replaying the list repeats it exactly.
// Simplified: one task runs at a time, as on one processor with arbitrary interleaving at yield points.

import { type ChoicePolicy, seededChoices } from './choice-policy.ts';
import type { Clock } from './clock.ts';
import { InternalError } from './internal-error.ts';
import { ScheduledTask } from './scheduled-task.ts';
import type { ModelTask } from './yield-point.ts';

/**
 * How a scheduler is set up: a seed, or a policy of your own (replay, explorer).
 * @public
 */
export interface SchedulerOptions {
  /** Seed of the random choices; ignored when `policy` is given. Default 1. */
  readonly seed?: number;
  readonly policy?: ChoicePolicy;
  /** When given, a machine whose tasks all wait lets time pass up to the next timer before it reports a deadlock. */
  readonly clock?: Clock;
}

/**
 * Why a run stopped. `deadlock`: unfinished tasks, none of which can ever run again by itself.
 * @public
 */
export interface RunOutcome {
  readonly status: 'idle' | 'deadlock' | 'step-limit';
  /** Task resumptions of this run. */
  readonly steps: number;
  /** Tasks (no daemons) that wait for a condition nobody signals; empty unless the status is `deadlock`. */
  readonly blocked: readonly { readonly task: string; readonly at: string }[];
}

/**
 * Runs generator tasks in a reproducible order and records the choices it made.
 * @public
 */
export class Scheduler {
  /** Called before each resumption with the task about to run (its `at` names the point) and the runnable ones. */
  onStep: ((task: ScheduledTask<unknown>, runnable: readonly ScheduledTask<unknown>[]) => void) | null = null;
  readonly #policy: ChoicePolicy;
  /** The clock whose time passes when every task waits. */
  readonly clock: Clock | undefined;
  readonly #choices: number[] = [];
  /** Scratch of `step`; only the first entries are meant. */
  readonly #runnable: ScheduledTask<unknown>[] = [];
  #tasks: ScheduledTask<unknown>[] = [];
  #nextId = 0;
  #current: ScheduledTask<unknown> | null = null;

  constructor(options: SchedulerOptions = {}) {
    this.#policy = options.policy ?? seededChoices(options.seed ?? 1);
    this.clock = options.clock;
  }

  /** Every choice made so far where more than one task could run; feed it to `replayedChoices`. */
  get choices(): readonly number[] {
    return this.#choices;
  }

  /** The task that runs now; null between steps and for code outside any task. */
  get current(): ScheduledTask<unknown> | null {
    return this.#current;
  }

  /** Tasks that have not ended, in spawn order. */
  get tasks(): readonly ScheduledTask<unknown>[] {
    return this.#tasks;
  }

  /**
   * Adds a task; it first runs when the scheduler picks it. Tasks may spawn tasks. `touches` says of the way to the first
   * point what a {@link YieldPoint} says of the way to the next.
   */
  spawn<T>(
    name: string,
    body: ModelTask<T>,
    options: { readonly daemon?: boolean; readonly touches?: readonly object[] } = {},
  ): ScheduledTask<T> {
    const task = new ScheduledTask(this.#nextId, name, body, options.daemon ?? false, options.touches);
    this.#nextId += 1;
    this.#tasks.push(task as ScheduledTask<unknown>);
    return task;
  }

  /** Resumes one task; false when none is runnable. */
  step(): boolean {
    if (this.#current !== null) throw new InternalError('a task must not drive the scheduler that runs it');
    const runnable = this.#runnable;
    let count = 0;
    for (const task of this.#tasks) {
      if (!task.runnable) continue;
      runnable[count] = task;
      count += 1;
    }
    if (count === 0) return false;
    const choice = count === 1 ? 0 : this.#choose(count);
    const task = choice < count ? runnable[choice] : undefined;
    if (task === undefined) throw new InternalError('the choice policy picked no runnable task');
    this.onStep?.(task, runnable.slice(0, count));
    this.#current = task;
    try {
      task.resume();
    } finally {
      this.#current = null;
      if (task.done) this.#tasks.splice(this.#tasks.indexOf(task), 1);
    }
    return true;
  }

  /** Runs until nothing can run, or for `maxSteps` resumptions. An exception of a task passes through. */
  run(maxSteps: number = Number.POSITIVE_INFINITY): RunOutcome {
    let steps = 0;
    for (;;) {
      if (steps >= maxSteps) return { status: 'step-limit', steps, blocked: [] };
      if (this.step()) steps += 1;
      else if (!this.#letTimePass()) break;
    }
    const blocked = this.#tasks
      .filter((task) => !task.daemon)
      .map((task) => ({ task: task.name, at: task.at }));
    return { status: blocked.length === 0 ? 'idle' : 'deadlock', steps, blocked };
  }

  /** Spawns `body`, runs the machine until that task ends, and returns its result. */
  runTask<T>(name: string, body: ModelTask<T>): T {
    const task = this.spawn(name, body);
    while (!task.done) {
      if (!this.step() && !this.#letTimePass()) {
        throw new InternalError(`task ${name} is blocked at ${task.at} for ever`);
      }
    }
    return task.result as T;
  }

  #choose(count: number): number {
    const choice = this.#policy(count);
    this.#choices.push(choice);
    return choice;
  }

  #letTimePass(): boolean {
    const due = this.clock?.nextDueMs;
    if (this.clock === undefined || due === undefined) return false;
    if (!this.#tasks.some((task) => !task.daemon)) return false;
    this.clock.advanceMs(due - this.clock.nowMs);
    return true;
  }
}
