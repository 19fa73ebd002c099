// Every schedule of the owner of a BAR against regions of an RDMA adapter: nothing touches the memory once it is taken, all
// work ends as it must, nothing is left, and those who break the contract are found.
import { explorationLine, explorePlanted, exploreScenario, readStates } from '@sgfree/exploration';
import { describe, expect, it } from 'vitest';
import { revokeSuite } from './revoke-suite.ts';

const recorded = readStates(revokeSuite.record);

describe('every schedule', () => {
  it.each(revokeSuite.small.map((each) => [each.name, each] as const))(
    'of "%s" is right',
    (name, scenario) => {
      const { report, problems } = exploreScenario(revokeSuite, scenario, { recorded, few: 300 });
      process.stdout.write(`${explorationLine(name, report)}\n`);
      expect(problems).toEqual([]);
    },
  );

  it('has its states on record, and nothing else has', () => {
    const names = [...revokeSuite.small, ...revokeSuite.large].map(({ name }) => name);
    expect(Object.keys(recorded).sort()).toEqual(names.sort());
  });
});

describe('a planted bug is found', () => {
  it.each(revokeSuite.planted.map((planted) => [planted.scenario.name, planted] as const))(
    '%s',
    (name, planted) => {
      const { shown, problems } = explorePlanted(revokeSuite, planted);
      process.stdout.write(`planted: ${name}\n${shown}\n`);
      expect(problems).toEqual([]);
    },
  );
});
