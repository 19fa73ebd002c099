// What exploring one scenario shows, and what is wrong with it: a broken rule, an exploration that did not end, fewer states than
// on record, a reduction that leaves something out, a planted bug that is not found or cannot be repeated.
// Simplified: the reduction is held against running everything only where there are few schedules.

import { type ExplorationReport, explore, replaySchedule, showViolation } from '@sgfree/hw-model';
import type { ExplorationSuite, NamedScenario, PlantedScenario } from './exploration-suite.ts';
import type { StateRecord } from './state-record.ts';

/** How a scenario is judged. */
export interface Judgement {
  readonly recorded: StateRecord;
  /** Most schedules of which each is run, too. */
  readonly few: number;
}

/** A scenario explored: the report, and what is wrong; nothing, as a rule. */
export interface ExploredScenarioReport {
  readonly report: ExplorationReport;
  readonly problems: readonly string[];
}

/** Explores every schedule of a scenario that breaks no rule. */
export function exploreScenario<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  scenario: S,
  { recorded, few }: Judgement,
): ExploredScenarioReport {
  const report = explore((policy) => suite.run(scenario, policy));
  const problems = report.violations.map(showViolation);
  const least = recorded[scenario.name];
  if (!report.complete) problems.push('not finished');
  else if (least === undefined) problems.push('no states on record');
  else if (report.states < least) problems.push(`${report.states} states, fewer than the ${least} on record`);
  if (report.complete && report.schedules <= few) problems.push(...leftOut(suite, scenario, report));
  return { report, problems };
}

/** What running each schedule finds that the reduced exploration did not. */
function leftOut<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  scenario: S,
  report: ExplorationReport,
): string[] {
  const all = explore((policy) => suite.run(scenario, policy), { reduction: 'none' });
  const compared: readonly (readonly [string, number | string, number | string])[] = [
    ['runs', all.runs, report.schedules],
    ['schedules', all.schedules, report.schedules],
    ['steps', all.deepest, report.deepest],
    ['outcomes', all.outcomes.join(' / '), report.outcomes.join(' / ')],
    ['violations', all.violations.length, report.violations.length],
  ];
  return compared
    .filter(([, whole, reduced]) => whole !== reduced)
    .map(([what, whole, reduced]) => `all schedules: ${what} ${whole}, reduced: ${reduced}`);
}

/** A planted bug looked for: the schedule that shows it, and what is wrong. */
export interface PlantedReport {
  readonly shown: string;
  readonly problems: readonly string[];
}

/** Looks for a planted bug, and repeats the schedule that shows it. */
export function explorePlanted<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  { scenario, shows }: PlantedScenario<S>,
): PlantedReport {
  const explored = (policy: Parameters<typeof suite.run>[1]): ReturnType<typeof suite.run> =>
    suite.run(scenario, policy);
  const { complete, violations } = explore(explored);
  const found = violations.find(({ rule }) => shows.includes(rule));
  const problems = complete ? [] : ['not finished'];
  if (found === undefined) return { shown: 'NOT FOUND', problems: [...problems, `no ${shows.join(' or ')}`] };
  const { fault, schedule } = replaySchedule(explored, found.schedule.choices);
  const repeated = fault?.rule === found.rule && fault.detail === found.detail;
  const sameSteps = JSON.stringify(schedule.steps) === JSON.stringify(found.schedule.steps);
  if (!repeated || !sameSteps) problems.push(`repeated, the schedule shows ${fault?.rule ?? 'nothing'}`);
  return { shown: showViolation(found), problems };
}
