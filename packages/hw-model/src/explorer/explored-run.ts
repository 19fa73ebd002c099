// ExploredRun: one execution of a scenario as an explorer sees it: a fresh machine, its scheduler, and what must hold.
// Source followed: stateless model checking (a scenario is a function of the choices alone, and is run again for each
// schedule); the project's rule that every yield point is visible to an explorer.
// Simplified: a scenario is closed: no input but the choices.

import type { ChoicePolicy } from '../choice-policy.ts';
import type { Scheduler } from '../scheduler.ts';

/**
 * Something that must never happen; `rule` is a stable code, `detail` says what was found.
 * @public
 */
export interface ScheduleFault {
  readonly rule: string;
  readonly detail: string;
}

/**
 * A fresh machine whose tasks are spawned and have not run yet.
 * @public
 */
export interface ExploredRun {
  readonly scheduler: Scheduler;
  /** Asked after each step; a function of the state. A fault ends the schedule. */
  check?(): ScheduleFault | null;
  /** Asked when every task has ended: what must be balanced then. */
  finish?(): ScheduleFault | null;
  /**
   * Everything that can matter from here on, save which points each task has passed. With it, states that look the same
   * are explored once. It must be complete: what it leaves out is not explored.
   */
  state?(): string;
  /** How the run ended, as far as it is of interest; the different ones are collected. */
  outcome?(): string;
}

/**
 * Builds the machine with a scheduler that asks `policy`; the same policy must give the same run.
 * @public
 */
export type ExploredScenario = (policy: ChoicePolicy) => ExploredRun;
