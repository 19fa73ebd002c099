// replaySchedule: one schedule of a scenario again, from its list of choices.
// Source followed: the scheduler's record of choices.
// Simplified: after the list has ended the first runnable task goes on, as with replayedChoices.

import { InternalError } from '../internal-error.ts';
import type { ExploredScenario, ScheduleFault } from './explored-run.ts';
import { GuidedRun } from './guided-run.ts';
import type { Schedule } from './schedule.ts';

const MOST_STEPS = 100_000;

/**
 * Repeats a schedule up to its first fault or its end. Throws {@link InternalError} when a choice does not fit: the
 * scenario is then not the one that was recorded.
 * @public
 */
export function replaySchedule(
  scenario: ExploredScenario,
  choices: readonly number[],
): { readonly fault: ScheduleFault | null; readonly schedule: Schedule } {
  const guided = new GuidedRun(scenario);
  let position = 0;
  while (guided.fault === null) {
    const { length } = guided.runnable;
    if (length === 0) {
      guided.end();
      break;
    }
    if (guided.depth >= MOST_STEPS) {
      guided.giveUp(MOST_STEPS);
      break;
    }
    const choice = length === 1 ? 0 : (choices[position++] ?? 0);
    if (choice >= length) throw new InternalError(`choice ${position - 1} is ${choice} of ${length} tasks`);
    guided.advance(choice);
  }
  return { fault: guided.fault, schedule: guided.schedule };
}
