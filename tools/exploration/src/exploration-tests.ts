// The tests of a suite: every schedule of its small scenarios, none of which may break a rule, and every planted bug, which must.
// Printed as one line a scenario, which `npm test` shows of a run that passes.
// Simplified: the large scenarios are the program's.

import { describe, expect, it } from 'vitest';
import { explorationLine } from './exploration-line.ts';
import type { ExplorationSuite, NamedScenario } from './exploration-suite.ts';
import { explorePlanted, exploreScenario } from './explored-scenario.ts';
import { readStates } from './state-record.ts';

/** Adds the tests to the file that calls this; `few` is how many schedules at most are each run, too. */
export function explorationTests<S extends NamedScenario>(suite: ExplorationSuite<S>, few: number): void {
  const recorded = readStates(suite.record);
  describe('every schedule', () => {
    it.each(suite.small.map((each) => [each.name, each] as const))('of "%s" is right', (name, scenario) => {
      const { report, problems } = exploreScenario(suite, scenario, { recorded, few });
      process.stdout.write(`${explorationLine(name, report)}\n`);
      expect(problems).toEqual([]);
    });

    it('has its states on record, and nothing else has', () => {
      const names = [...suite.small, ...suite.large].map(({ name }) => name);
      expect(Object.keys(recorded).sort()).toEqual(names.sort());
    });
  });

  describe('a planted bug is found', () => {
    it.each(suite.planted.map((planted) => [planted.scenario.name, planted] as const))(
      '%s',
      (name, planted) => {
        const { shown, problems } = explorePlanted(suite, planted);
        process.stdout.write(`planted: ${name}\n${shown}\n`);
        expect(problems).toEqual([]);
      },
    );
  });
}
