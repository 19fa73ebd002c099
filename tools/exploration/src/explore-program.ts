// The explorer as a program: `npm run explore -- [--seed N] [--schedules N] [--update]`, one suite of scenarios at a time.
// Every schedule of the small and the large scenarios, the planted bugs, then random schedules of those that are larger still,
// with seeds from --seed on; --update records the states. 1 when a rule is broken or states are missing, 2 for bad usage.
// Simplified: one process.

import { parseArgs } from 'node:util';
import { exploreSeeds, showViolation } from '@sgfree/hw-model';
import { explorationLine } from './exploration-line.ts';
import type { ExplorationSuite, NamedScenario } from './exploration-suite.ts';
import { explorePlanted, exploreScenario } from './explored-scenario.ts';
import { readStates, writeStates } from './state-record.ts';

/** What a suite asks for where the command line says nothing. */
export interface ExploreDefaults {
  /** Random schedules of each seeded scenario. */
  readonly schedules: number;
  /** Most schedules of which each is run, too. */
  readonly few: number;
}

interface ExploreOptions {
  readonly firstSeed: number;
  readonly schedules: number;
  readonly update: boolean;
}

/** Explores a suite, printing to standard output; the exit status. */
export function exploreProgram<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  defaults: ExploreDefaults,
  args: readonly string[] = process.argv.slice(2),
  print: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): 0 | 1 | 2 {
  try {
    const options = exploreOptions(defaults, args);
    const every = exploreEvery(suite, defaults, options, print);
    const failures = every + findPlanted(suite, print) + exploreRandomly(suite, options, print);
    print(failures === 0 ? 'every rule held' : `${failures} failures`);
    return failures === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

function exploreOptions({ schedules }: ExploreDefaults, args: readonly string[]): ExploreOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      schedules: { type: 'string', default: String(schedules) },
      update: { type: 'boolean', default: false },
    },
  });
  return {
    firstSeed: wholeNumber(values.seed),
    schedules: wholeNumber(values.schedules),
    update: values.update,
  };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${text} is no whole number from 0 on`);
  return value;
}

/** Failures among the scenarios of which every schedule is explored. */
function exploreEvery<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  { few }: ExploreDefaults,
  { update }: ExploreOptions,
  print: (line: string) => void,
): number {
  const scenarios = [...suite.small, ...suite.large];
  const recorded = update
    ? Object.fromEntries(scenarios.map(({ name }) => [name, 0]))
    : readStates(suite.record);
  const found: Record<string, number> = {};
  let failures = 0;
  for (const scenario of scenarios) {
    const { report, problems } = exploreScenario(suite, scenario, { recorded, few });
    print(explorationLine(scenario.name, report));
    problems.forEach(print);
    failures += problems.length;
    found[scenario.name] = report.states;
  }
  if (update && failures === 0) writeStates(suite.record, found);
  return failures;
}

/** Planted bugs that were not found. */
function findPlanted<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  print: (line: string) => void,
): number {
  let missed = 0;
  for (const planted of suite.planted) {
    const { shown, problems } = explorePlanted(suite, planted);
    print(`planted: ${planted.scenario.name}\n${shown}`);
    problems.forEach(print);
    if (problems.length > 0) missed += 1;
  }
  return missed;
}

function exploreRandomly<S extends NamedScenario>(
  suite: ExplorationSuite<S>,
  { firstSeed, schedules }: ExploreOptions,
  print: (line: string) => void,
): number {
  let failures = 0;
  for (const scenario of suite.seeded) {
    const report = exploreSeeds((policy) => suite.run(scenario, policy), { firstSeed, schedules });
    print(
      `${scenario.name}: ${report.schedules} seeds from ${firstSeed} on, ${report.steps} states, ${report.outcomes.length} outcomes`,
    );
    for (const violation of report.violations) print(showViolation(violation));
    failures += report.violations.length;
  }
  return failures;
}
