// exploreSeeds: random schedules of a scenario that is too large for all of them.
// Source followed: the scheduler's seeded choices; a seed is a schedule, so every find can be repeated.
// Simplified: no guidance; each seed is independent of the others.

import { seededNumbers } from '../choice-policy.ts';
import type { ExploredScenario } from './explored-run.ts';
import { GuidedRun } from './guided-run.ts';
import { isSimpler, type ScheduleViolation } from './schedule.ts';

/**
 * What random schedules found.
 * @public
 */
export interface SeededReport {
  readonly schedules: number;
  /** Steps made, over all schedules; after each the state was checked. */
  readonly steps: number;
  /** One for each rule and detail, with the shortest schedule seen. */
  readonly violations: readonly ScheduleViolation[];
  readonly outcomes: readonly string[];
}

/**
 * Runs `scenario` once for each seed from `firstSeed` on. A schedule of more than `maxSteps` steps (default 100,000) is
 * a violation `step-limit`.
 * @public
 */
export function exploreSeeds(
  scenario: ExploredScenario,
  options: { readonly firstSeed: number; readonly schedules: number; readonly maxSteps?: number },
): SeededReport {
  const { firstSeed, schedules, maxSteps = 100_000 } = options;
  const violations = new Map<string, ScheduleViolation>();
  const outcomes = new Set<string>();
  let steps = 0;
  for (let seed = firstSeed; seed < firstSeed + schedules; seed += 1) {
    const guided = randomRun(scenario, seed, maxSteps);
    steps += guided.depth;
    const { fault, schedule } = guided;
    const outcome = guided.ended ? guided.run.outcome?.() : undefined;
    if (outcome !== undefined) outcomes.add(outcome);
    if (fault === null) continue;
    const key = `${fault.rule} ${fault.detail}`;
    const known = violations.get(key);
    if (known === undefined || isSimpler(schedule, known.schedule))
      violations.set(key, { ...fault, schedule });
  }
  return { schedules, steps, violations: [...violations.values()], outcomes: [...outcomes].sort() };
}

function randomRun(scenario: ExploredScenario, seed: number, maxSteps: number): GuidedRun {
  const next = seededNumbers(seed);
  const guided = new GuidedRun(scenario);
  while (guided.fault === null) {
    const { length } = guided.runnable;
    if (length === 0) {
      guided.end();
      return guided;
    }
    if (guided.depth >= maxSteps) {
      guided.giveUp(maxSteps);
      return guided;
    }
    guided.advance(length === 1 ? 0 : Math.floor((next() / 2 ** 32) * length));
  }
  return guided;
}
