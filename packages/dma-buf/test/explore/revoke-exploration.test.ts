// Every schedule of the small scenarios, none of which may break a rule; and every planted bug, each of which must.
import { explore, replaySchedule, showViolation } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { explorationLine, exploreScenario, recordedStates } from './exploration-line.ts';
import { plantedBugs } from './planted-bugs.ts';
import { revokeRun } from './revoke-scenario.ts';
import { largeScenarios, smallScenarios } from './scenarios.ts';

const recorded = recordedStates();
/** Schedules that are few enough to run each of them. */
const FEW = 8000;

const named = <S extends { readonly name: string }>(scenarios: readonly S[]): [string, S][] =>
  scenarios.map((each) => [each.name, each]);

describe('every schedule', () => {
  it.each(named(smallScenarios))('of "%s" is right', (name, scenario) => {
    const report = exploreScenario(scenario);
    process.stdout.write(`${explorationLine(name, report)}\n`);
    expect(report.violations.map(showViolation)).toEqual([]);
    expect(report.complete).toBe(true);
    expect(report.states).toBeGreaterThanOrEqual(recorded[name] ?? Number.POSITIVE_INFINITY);
    if (report.schedules > FEW) return;
    const all = explore((policy) => revokeRun(scenario, policy), { reduction: 'none' });
    expect([all.runs, all.schedules]).toEqual([report.schedules, report.schedules]);
    expect([all.outcomes, all.deepest]).toEqual([report.outcomes, report.deepest]);
    expect(all.violations).toEqual([]);
  });

  it('has its states on record, and nothing else has', () => {
    const names = [...smallScenarios, ...largeScenarios].map(({ name }) => name);
    expect(Object.keys(recorded).sort()).toEqual(names.sort());
  });
});

describe('a planted bug is found', () => {
  it.each(plantedBugs.map((planted) => [planted.scenario.name, planted] as const))('%s', (name, planted) => {
    const scenario = (policy: Parameters<typeof revokeRun>[1]) => revokeRun(planted.scenario, policy);
    const report = explore(scenario);
    expect(report.complete).toBe(true);
    const violation = report.violations.find(({ rule }) => rule === planted.shows);
    expect(violation, report.violations.map(showViolation).join('\n')).toBeDefined();
    if (violation === undefined) return;
    process.stdout.write(`planted: ${name}\n${showViolation(violation)}\n`);
    const { choices, steps } = violation.schedule;
    const again = replaySchedule(scenario, choices);
    expect(again).toEqual({
      fault: { rule: violation.rule, detail: violation.detail },
      schedule: { choices, steps },
    });
  });
});
