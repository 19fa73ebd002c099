// Every schedule of the owner of a VFIO device against its importers: no byte lands late, nothing is left, and those who
// misbehave are found.
import { explore, showViolation } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { vfioRun } from './vfio-scenario.ts';
import {
  explorationLine,
  largeScenarios,
  recordedStates,
  resetAndClose,
  smallScenarios,
} from './vfio-scenarios.ts';

const recorded = recordedStates();
const one = { importer: 'near' } as const;
/** Schedules that are few enough to run each of them. */
const FEW = 3000;

describe('every schedule', () => {
  it.each(smallScenarios.map((scenario) => [scenario.name, scenario] as const))(
    'of "%s" is right',
    (name, scenario) => {
      const report = explore((policy) => vfioRun(scenario, policy));
      const { states, schedules, outcomes } = report;
      process.stdout.write(`${explorationLine(name, report)}\n`);
      expect(report.violations.map(showViolation)).toEqual([]);
      expect(report.complete).toBe(true);
      expect(states).toBeGreaterThanOrEqual(recorded[name] ?? Number.POSITIVE_INFINITY);
      if (schedules > FEW) return;
      const all = explore((policy) => vfioRun(scenario, policy), { reduction: 'none' });
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

describe('who misbehaves is found', () => {
  it.each([
    [
      'an exporter that does not wait',
      'bytes-after-revoke',
      { options: { revoke: 'notify', reset: slowReset } },
    ],
    ['an importer that keeps its mapping', 'lost-wake-up', { manners: 'keeps-mapping' }],
  ] as const)('%s', (name, rule, departure) => {
    const scenario = { name, importers: one, threads: { owner: resetAndClose }, ...departure };
    const { violations } = explore((policy) => vfioRun(scenario, policy));
    const found = violations.find((violation) => violation.rule === rule);
    expect(found, violations.map(showViolation).join('\n')).toBeDefined();
    if (found !== undefined) process.stdout.write(`planted: ${name}\n${showViolation(found)}\n`);
  });
});

/** A reset during which the function goes on answering, so that only the exporter's waits protect the memory. */
function* slowReset(): Generator<{ readonly at: string }, number, void> {
  for (let at = 0; at < 3; at += 1) yield { at: 'test:reset' };
  return 0;
}
