// Every schedule of the owner of a VFIO device against its importers: no byte lands late, nothing is left, and those who
// misbehave are found.
import { explorationLine, explorePlanted, exploreScenario, readStates } from '@sgfree/exploration';
import { describe, expect, it } from 'vitest';
import { vfioSuite } from './vfio-scenarios.ts';

const recorded = readStates(vfioSuite.record);

describe('every schedule', () => {
  it.each(vfioSuite.small.map((each) => [each.name, each] as const))('of "%s" is right', (name, scenario) => {
    const { report, problems } = exploreScenario(vfioSuite, scenario, { recorded, few: 3000 });
    process.stdout.write(`${explorationLine(name, report)}\n`);
    expect(problems).toEqual([]);
  });

  it('has its states on record, and nothing else has', () => {
    const names = [...vfioSuite.small, ...vfioSuite.large].map(({ name }) => name);
    expect(Object.keys(recorded).sort()).toEqual(names.sort());
  });
});

describe('a planted bug is found', () => {
  it.each(vfioSuite.planted.map((planted) => [planted.scenario.name, planted] as const))(
    '%s',
    (name, planted) => {
      const { shown, problems } = explorePlanted(vfioSuite, planted);
      process.stdout.write(`planted: ${name}\n${shown}\n`);
      expect(problems).toEqual([]);
    },
  );
});
