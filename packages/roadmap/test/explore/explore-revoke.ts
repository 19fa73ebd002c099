// The explorer over revokes of an RDMA importer, the last part of `npm run explore -- [--seed N] [--schedules N] [--update]`.
// Every schedule of the small and the large scenarios, then random schedules of those that are larger still, with seeds
// from --seed on; --update records the states. The exit status is 1 when a rule is broken or states are missing.
// Simplified: one process.

import { parseArgs } from 'node:util';
import {
  type ExplorationReport,
  explore,
  exploreSeeds,
  type ScheduleViolation,
  showViolation,
} from '@sgfree/hw-model';
import { type RevokeScenario, revokeScenarioRun } from '../../src/explore/revoke-scenario.ts';
import { plantedScenarios } from './planted-scenarios.ts';
import {
  explorationLine,
  exploreRevoke,
  largeScenarios,
  recordedStates,
  recordStates,
  seededScenarios,
  smallScenarios,
} from './revoke-scenarios.ts';

/** Schedules that are few enough to run each of them. */
const FEW = 10_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${text} is no whole number from 0 on`);
  return value;
}

function options(): { firstSeed: number; schedules: number; update: boolean } {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      schedules: { type: 'string', default: '300' },
      update: { type: 'boolean', default: false },
    },
  });
  return {
    firstSeed: wholeNumber(values.seed),
    schedules: wholeNumber(values.schedules),
    update: values.update,
  };
}

function show(violations: readonly ScheduleViolation[]): number {
  for (const violation of violations) print(showViolation(violation));
  return violations.length;
}

/** 1 when running each schedule, where they are not too many, finds something else; else 0. */
function missedByReduction(scenario: RevokeScenario, report: ExplorationReport): number {
  if (report.schedules > FEW) return 0;
  const all = explore((policy) => revokeScenarioRun(scenario, policy), { reduction: 'none' });
  const same = all.runs === report.schedules && all.outcomes.join() === report.outcomes.join();
  if (same && all.violations.length === report.violations.length) return 0;
  print(`running all ${all.runs} schedules finds something else`);
  return 1;
}

/** Failures among the scenarios of which every schedule is explored. */
function exploreEvery(update: boolean): number {
  const recorded = update ? {} : recordedStates();
  const found: Record<string, number> = {};
  let failures = 0;
  for (const scenario of [...smallScenarios, ...largeScenarios]) {
    const report = exploreRevoke(scenario);
    const { states, violations, complete } = report;
    print(explorationLine(scenario.name, report));
    failures += show(violations) + missedByReduction(scenario, report);
    found[scenario.name] = states;
    const least = recorded[scenario.name] ?? 0;
    if (complete && states >= least) continue;
    print(complete ? `fewer than the ${least} states on record` : 'not finished');
    failures += 1;
  }
  if (update && failures === 0) recordStates(found);
  return failures;
}

/** Planted faults that were not found. */
function explorePlanted(): number {
  let missed = 0;
  for (const { scenario, shows } of plantedScenarios) {
    const found = exploreRevoke(scenario).violations.find(({ rule }) => shows.includes(rule));
    print(`planted: ${scenario.name}\n${found === undefined ? 'NOT FOUND' : showViolation(found)}`);
    if (found === undefined) missed += 1;
  }
  return missed;
}

function exploreRandomly(seeds: { readonly firstSeed: number; readonly schedules: number }): number {
  let failures = 0;
  for (const scenario of seededScenarios) {
    const { schedules, steps, violations, outcomes } = exploreSeeds(
      (policy) => revokeScenarioRun(scenario, policy),
      seeds,
    );
    print(
      `${scenario.name}: ${schedules} seeds from ${seeds.firstSeed} on, ${steps} states, ${outcomes.length} outcomes`,
    );
    failures += show(violations);
  }
  return failures;
}

try {
  const { update, ...seeds } = options();
  const failures = exploreEvery(update) + explorePlanted() + exploreRandomly(seeds);
  print(failures === 0 ? 'every rule held' : `${failures} failures`);
  process.exitCode = failures === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
