// ExplorationLine: an exploration as one line for people; `npm test` shows these lines of a run that passes.
// Simplified: English digits, and an exponent for what no longer has a readable number.

import type { ExplorationReport } from '@sgfree/hw-model';

const LARGEST_PLAIN = 1e15;

/** The line of one scenario. */
export function explorationLine(
  name: string,
  { states, runs, schedules, deepest, outcomes }: ExplorationReport,
): string {
  return `${name}: ${count(states)} states, ${count(runs)} runs for ${count(schedules)} schedules of up to ${deepest} steps, outcomes: ${outcomes.length}`;
}

const count = (value: number): string =>
  value < LARGEST_PLAIN ? value.toLocaleString('en-US') : value.toExponential(2);
