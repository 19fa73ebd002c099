// StateIdentity on what is easily taken for the same: tasks that share a name, tasks that timers make, steps that fail.
import { describe, expect, it } from 'vitest';
import { Clock } from '../clock.ts';
import { InternalError } from '../internal-error.ts';
import { Scheduler } from '../scheduler.ts';
import type { ModelTask } from '../yield-point.ts';
import { type ExplorationReduction, type ExplorationReport, explore } from './explore.ts';
import type { ExploredScenario } from './explored-run.ts';
import { StateGraph } from './state-graph.ts';

/** What running every schedule finds is found with the reduction, too. */
function expectTheSame(scenario: ExploredScenario, reductions: readonly ExplorationReduction[]): void {
  const told = ({ outcomes, schedules, violations }: ExplorationReport): unknown => [
    outcomes,
    schedules,
    violations.map(({ rule, detail, schedule }) => [rule, detail, schedule.steps.length]),
  ];
  const whole = explore(scenario, { reduction: 'none' });
  for (const reduction of reductions) expect(told(explore(scenario, { reduction }))).toEqual(told(whole));
}

/** A timer wakes two tasks of one name; the order in which they run is the outcome. */
const madeByTimer: ExploredScenario = (policy) => {
  const clock = new Clock();
  const scheduler = new Scheduler({ policy, clock });
  const seen: string[] = [];
  function* woken(name: string): ModelTask<void> {
    yield { at: 'woken' };
    seen.push(name);
  }
  function* sleeper(): ModelTask<void> {
    yield { at: 'arm' };
    clock.after(5, () => {
      for (const name of ['x', 'y']) scheduler.spawn('woken', woken(name));
    });
    yield { at: 'sleep', until: () => seen.length === 2 };
  }
  scheduler.spawn('sleeper', sleeper());
  const text = (): string => `${clock.nowMs} ${seen.join()}`;
  return { scheduler, state: text, outcome: text };
};

describe('a task', () => {
  it('of a timer is not taken for another one of the same timer', () => {
    expect(explore(madeByTimer, { reduction: 'order' }).outcomes).toEqual(['5 x,y', '5 y,x']);
    expectTheSame(madeByTimer, ['order', 'content']);
  });

  it('is not taken for another one that has its name', () => {
    expectTheSame(
      (policy) => {
        const scheduler = new Scheduler({ policy });
        const passed: string[] = [];
        let text = '';
        function* passing(name: string): ModelTask<void> {
          yield { at: 'pass' };
          passed.push(name);
        }
        function* looking(): ModelTask<void> {
          yield { at: 'look' };
          text = `saw ${[...passed].sort().join()}`;
        }
        for (const name of ['a', 'b']) scheduler.spawn('same', passing(name));
        scheduler.spawn('look', looking());
        // Who has passed follows from the points that were passed.
        return { scheduler, outcome: () => text, state: () => text };
      },
      ['content', 'order'],
    );
  });
});

describe('a step that fails', () => {
  it('does not lead to the state of one that does not', () => {
    const scenario: ExploredScenario = (policy) => {
      const scheduler = new Scheduler({ policy });
      let first = '';
      function* failing(): ModelTask<void> {
        first ||= 'failing';
        yield { at: 'between' };
        const was = first;
        first = '';
        if (was === 'other') throw new RangeError('came second');
      }
      function* other(): ModelTask<void> {
        yield { at: 'begin' };
        first ||= 'other';
      }
      scheduler.spawn('failing', failing());
      scheduler.spawn('other', other());
      return { scheduler, state: () => first };
    };
    expect(explore(scenario).violations.map(({ rule }) => rule)).toEqual(['RangeError']);
    expectTheSame(scenario, ['content', 'order']);
  });
});

describe('StateGraph', () => {
  it('refuses a state that would have two depths', () => {
    const graph = new StateGraph();
    expect([graph.enter(1, 0), graph.step(1, 2, 1), graph.step(1, 2, 1)]).toEqual([true, true, false]);
    expect(() => graph.step(2, 2, 2)).toThrow(InternalError);
  });
});
