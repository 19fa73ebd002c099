// GuidedRun: a scenario taken step by step along given choices, and every way in which it can go wrong.
// Source followed: the scheduler's own loop (time passes only when every task waits; waiting daemons are idle hardware).
// Simplified: what a task throws ends the schedule.

import { InternalError } from '../internal-error.ts';
import type { ScheduledTask } from '../scheduled-task.ts';
import type { ExploredRun, ExploredScenario, ScheduleFault } from './explored-run.ts';
import type { Schedule, ScheduleStep } from './schedule.ts';

/** Told of what a run does, in order. @internal */
export interface RunObserver {
  /** `task` made a step that may have touched `touches` (absent: anything); `tasks` are there now. */
  stepped(
    task: ScheduledTask<unknown>,
    touches: readonly object[] | undefined,
    tasks: readonly ScheduledTask<unknown>[],
  ): void;
  /** Time passed, because every task waited; `tasks` are there now. */
  timePassed(tasks: readonly ScheduledTask<unknown>[]): void;
}

/** One run of a scenario. @internal */
export class GuidedRun {
  readonly run: ExploredRun;
  readonly #observer: RunObserver | null;
  readonly #steps: ScheduleStep[] = [];
  #choice = 0;
  #stepping: ScheduledTask<unknown> | null = null;
  #touches: readonly object[] | undefined;
  #fault: ScheduleFault | null = null;
  #ended = false;

  constructor(scenario: ExploredScenario, observer: RunObserver | null = null) {
    this.#observer = observer;
    this.run = scenario(() => this.#choice);
    if (this.run.scheduler.choices.length > 0)
      throw new InternalError('a scenario must not run its own tasks');
    this.run.scheduler.onStep = (task) => {
      this.#stepping = task;
      this.#touches = task.touches;
    };
    this.#letTimePass();
  }

  /** What went wrong; the run is over then. */
  get fault(): ScheduleFault | null {
    return this.#fault;
  }

  /** True when no task can run any more, and none broke a rule before. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Steps made. */
  get depth(): number {
    return this.#steps.length;
  }

  get schedule(): Schedule {
    return { choices: [...this.run.scheduler.choices], steps: [...this.#steps] };
  }

  /** The tasks among which the next choice is made. */
  get runnable(): readonly ScheduledTask<unknown>[] {
    return this.run.scheduler.tasks.filter((task) => task.runnable);
  }

  /** Lets the runnable task at index `choice` make a step. */
  advance(choice: number): void {
    const { scheduler } = this.run;
    this.#choice = choice;
    const from = this.runnable[choice]?.at ?? '';
    let thrown: ScheduleFault | null = null;
    try {
      scheduler.step();
    } catch (error) {
      thrown = faultOf(error);
    }
    const task = this.#stepping;
    if (task === null) throw new InternalError('no task could run');
    this.#steps.push({ task: task.name, from, to: thrown === null ? task.at : thrown.rule });
    this.#observer?.stepped(task, this.#touches, scheduler.tasks);
    this.#fault = thrown ?? this.run.check?.() ?? null;
    if (this.#fault === null) this.#letTimePass();
  }

  /** Called when no task can run: what is wrong with the end, if anything. */
  end(): ScheduleFault | null {
    this.#ended = true;
    const blocked = this.run.scheduler.tasks.filter((task) => !task.daemon);
    this.#fault = blocked.length > 0 ? blockedFault(blocked) : (this.run.finish?.() ?? null);
    return this.#fault;
  }

  /** Ends the run because it takes too long. */
  giveUp(maxSteps: number): void {
    this.#fault = { rule: 'step-limit', detail: `not over after ${maxSteps} steps` };
  }

  #letTimePass(): void {
    const { clock, tasks } = this.run.scheduler;
    while (clock !== undefined && !tasks.some((task) => task.runnable)) {
      const due = clock.nextDueMs;
      if (due === undefined || !tasks.some((task) => !task.daemon)) return;
      clock.advanceMs(due - clock.nowMs);
      this.#observer?.timePassed(tasks);
    }
  }
}

/** A point at which a task waits for a lock; the names of lock points end so. */
const LOCK_POINT = /lock$/;

/** Waiting for each other is a deadlock; waiting for what all others have already done, or never did, a lost wake-up. */
function blockedFault(blocked: readonly ScheduledTask<unknown>[]): ScheduleFault {
  const rule = blocked.some(({ at }) => LOCK_POINT.test(at)) ? 'deadlock' : 'lost-wake-up';
  return { rule, detail: blocked.map(({ name, at }) => `${name} waits at ${at}`).join(', ') };
}

function faultOf(error: unknown): ScheduleFault {
  if (!(error instanceof Error)) throw error;
  const rule = 'rule' in error && typeof error.rule === 'string' ? error.rule : error.name;
  return { rule, detail: error.message };
}
