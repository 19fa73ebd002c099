// Every schedule of the owner of a BAR against regions of an RDMA adapter: nothing touches the memory once it is taken, all
// work ends as it must, nothing is left, and those who break the contract are found.
import { explore, showViolation } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { revokeScenarioRun } from '../../src/explore/revoke-scenario.ts';
import { plantedScenarios } from './planted-scenarios.ts';
import {
  explorationLine,
  exploreRevoke,
  largeScenarios,
  recordedStates,
  smallScenarios,
} from './revoke-scenarios.ts';

const recorded = recordedStates();
/** Schedules that are few enough to run each of them. */
const FEW = 300;

describe('every schedule', () => {
  it.each(smallScenarios.map((scenario) => [scenario.name, scenario] as const))(
    'of "%s" is right',
    (name, scenario) => {
      const report = exploreRevoke(scenario);
      const { states, schedules, outcomes } = report;
      process.stdout.write(`${explorationLine(name, report)}\n`);
      expect(report.violations.map(showViolation)).toEqual([]);
      expect(report.complete).toBe(true);
      expect(states).toBeGreaterThanOrEqual(recorded[name] ?? Number.POSITIVE_INFINITY);
      if (schedules > FEW) return;
      const all = explore((policy) => revokeScenarioRun(scenario, policy), { reduction: 'none' });
      expect([all.runs, all.outcomes, all.violations]).toEqual([schedules, outcomes, []]);
    },
  );
});

describe('the record', () => {
  it('has every scenario, and nothing else', () => {
    const names = [...smallScenarios, ...largeScenarios].map(({ name }) => name);
    expect(Object.keys(recorded).sort()).toEqual(names.sort());
  });
});

describe('who breaks the contract is found', () => {
  it.each(plantedScenarios.map((planted) => [planted.scenario.name, planted] as const))(
    '%s',
    (name, { scenario, shows }) => {
      const { violations } = exploreRevoke(scenario);
      const found = violations.find(({ rule }) => shows.includes(rule));
      expect(found, violations.map(showViolation).join('\n')).toBeDefined();
      if (found !== undefined) process.stdout.write(`planted: ${name}\n${showViolation(found)}\n`);
    },
  );
});
