// Schedule: who ran when: the list of choices that repeats a run, and the steps that a person reads.
// Source followed: the scheduler's own record of choices (one number for each step at which several tasks could run).
// Simplified: none.

import type { ScheduleFault } from './explored-run.ts';

/**
 * One step: `task` ran from the point `from` to the point `to`.
 * @public
 */
export interface ScheduleStep {
  readonly task: string;
  readonly from: string;
  readonly to: string;
}

/**
 * A run, or the beginning of one. Replay it with `replaySchedule`, or with `replayedChoices` on a scheduler of your own.
 * @public
 */
export interface Schedule {
  /** One index into the runnable tasks, in spawn order, for each step at which there was more than one. */
  readonly choices: readonly number[];
  readonly steps: readonly ScheduleStep[];
}

/**
 * A fault and the schedule that shows it.
 * @public
 */
export interface ScheduleViolation extends ScheduleFault {
  readonly schedule: Schedule;
}

/** Steps whose task is not that of the step before. */
function taskSwitches({ steps }: Schedule): number {
  return steps.filter((step, at) => at > 0 && steps[at - 1]?.task !== step.task).length;
}

/** True when `a` is easier to read than `b`: shorter, or as long with fewer changes of task. @internal */
export function isSimpler(a: Schedule, b: Schedule): boolean {
  if (a.steps.length !== b.steps.length) return a.steps.length < b.steps.length;
  return taskSwitches(a) < taskSwitches(b);
}

/**
 * The schedule as text: a line for each stretch in which one task runs, with the points it passes, then the choices.
 * @public
 */
export function showSchedule(schedule: Schedule): string {
  const { steps, choices } = schedule;
  const width = Math.max(0, ...steps.map(({ task }) => task.length));
  const digits = String(steps.length).length;
  const lines: string[] = [];
  steps.forEach(({ task, from, to }, at) => {
    if (steps[at - 1]?.task === task) lines[lines.length - 1] += ` > ${to}`;
    else lines.push(`${String(at + 1).padStart(digits)}  ${task.padEnd(width)}  ${from} > ${to}`);
  });
  return [...lines, `choices: ${choices.join(',')}`].join('\n');
}

/**
 * A violation as text: what was found, and how it came to that.
 * @public
 */
export function showViolation({ rule, detail, schedule }: ScheduleViolation): string {
  return `${rule}: ${detail}\n${showSchedule(schedule)}`;
}
