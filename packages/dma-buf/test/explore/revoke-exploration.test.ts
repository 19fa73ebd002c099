// Every schedule of the small scenarios, none of which may break a rule; and every planted bug, each of which must.
import { explorationLine, explorePlanted, exploreScenario, readStates } from '@sgfree/exploration';
import { describe, expect, it } from 'vitest';
import { revokeSuite } from './revoke-suite.ts';

const recorded = readStates(revokeSuite.record);

describe('every schedule', () => {
  it.each(revokeSuite.small.map((each) => [each.name, each] as const))(
    'of "%s" is right',
    (name, scenario) => {
      const { report, problems } = exploreScenario(revokeSuite, scenario, { recorded, few: 8000 });
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
