// The explorer on small cases: what a blocked end is called, what a task throws, time, bounds, replay and text.
import { describe, expect, it } from 'vitest';
import { Clock } from '../clock.ts';
import { InternalError } from '../internal-error.ts';
import { Scheduler } from '../scheduler.ts';
import { TaskCompletion } from '../tasks/task-completion.ts';
import { TaskMutex } from '../tasks/task-mutex.ts';
import type { ModelTask } from '../yield-point.ts';
import { explore } from './explore.ts';
import { exploreSeeds } from './explore-seeds.ts';
import type { ExploredScenario } from './explored-run.ts';
import { replaySchedule } from './replay-schedule.ts';
import { showSchedule, showViolation } from './schedule.ts';

type Bodies = (scheduler: Scheduler) => Readonly<Record<string, ModelTask<void>>>;

function scenarioOf(bodies: Bodies): ExploredScenario {
  return (policy) => {
    const scheduler = new Scheduler({ policy });
    for (const [name, body] of Object.entries(bodies(scheduler))) scheduler.spawn(name, body);
    return { scheduler };
  };
}

function* both(first: TaskMutex, second: TaskMutex): ModelTask<void> {
  yield* first.lock();
  yield* second.lock();
  second.unlock();
  first.unlock();
}

function* undeclared(): ModelTask<void> {
  yield { at: 'undeclared' };
}

const crossed = scenarioOf((scheduler) => {
  const [a, b] = ['a', 'b'].map((name) => new TaskMutex({ name, lockClass: name, scheduler })) as [
    TaskMutex,
    TaskMutex,
  ];
  return { left: both(a, b), right: both(b, a) };
});

function* counting(count: number): ModelTask<void> {
  for (let at = 0; at < count; at += 1) yield { at: `count:${at}`, touches: [] };
}

describe('a blocked end', () => {
  it('is a deadlock when tasks wait for locks, and the shortest schedule shows it', () => {
    const { violations, complete } = explore(crossed);
    expect(complete).toBe(true);
    expect(violations.map(showViolation)).toEqual([
      [
        'deadlock: left waits at b:lock, right waits at a:lock',
        '1  left   start > a:lock > b:lock',
        '3  right  start > b:lock > a:lock',
        'choices: 0,0,1,1',
      ].join('\n'),
    ]);
  });

  it('is a lost wake-up when nobody is left who could wake', () => {
    const scenario = scenarioOf(() => {
      const done = new TaskCompletion('done');
      function* waiter(): ModelTask<void> {
        yield { at: 'prepare' };
        done.reinit();
        yield* done.wait();
      }
      function* giver(): ModelTask<void> {
        yield { at: 'work' };
        done.complete();
      }
      return { waiter: waiter(), giver: giver() };
    });
    const { violations, outcomes } = explore(scenario);
    expect(violations.map(({ rule, detail }) => [rule, detail])).toEqual([
      ['lost-wake-up', 'waiter waits at completion:done'],
    ]);
    expect(outcomes).toEqual([]);
  });

  it('is none when only daemons wait', () => {
    const scenario: ExploredScenario = (policy) => {
      const scheduler = new Scheduler({ policy });
      const done = new TaskCompletion('never');
      scheduler.spawn('hardware', done.wait(), { daemon: true });
      scheduler.spawn('driver', counting(1));
      return { scheduler };
    };
    expect(explore(scenario).violations).toEqual([]);
  });
});

describe('what a task throws', () => {
  it('is a violation with the rule of the error, or its name', () => {
    class Ruled extends Error {
      readonly rule = 'broken-rule';
    }
    function* throwing(error: Error): ModelTask<void> {
      yield { at: 'before' };
      throw error;
    }
    const { violations } = explore(
      scenarioOf(() => ({ a: throwing(new Ruled('x')), b: throwing(new RangeError('y')) })),
    );
    const found = violations.map(
      ({ rule, detail, schedule }) => `${rule} ${detail} ${schedule.steps.length}`,
    );
    expect(new Set(found)).toEqual(new Set(['RangeError y 2', 'broken-rule x 2']));
  });
});

describe('time', () => {
  it('passes only when every task waits', () => {
    const seen: number[][] = [];
    const scenario: ExploredScenario = (policy) => {
      const clock = new Clock();
      const scheduler = new Scheduler({ policy, clock });
      let rung = false;
      clock.after(10, () => {
        rung = true;
      });
      function* sleeper(): ModelTask<void> {
        yield { at: 'sleep', until: () => rung };
      }
      scheduler.spawn('sleeper', sleeper());
      scheduler.spawn('worker', counting(2));
      return { scheduler, outcome: () => `${clock.nowMs} ms` };
    };
    for (const reduction of ['none', 'order'] as const) {
      const { outcomes, violations, schedules } = explore(scenario, { reduction });
      expect([outcomes, violations]).toEqual([['10 ms'], []]);
      seen.push([schedules]);
    }
    expect(seen).toEqual([[4], [4]]);
  });
});

describe('reduction', () => {
  const counters = (touches: readonly object[]): ExploredScenario => {
    return (policy) => {
      const scheduler = new Scheduler({ policy });
      for (const name of ['a', 'b', 'c']) scheduler.spawn(name, counting(4), { touches });
      return { scheduler };
    };
  };

  it('visits each state once: independent tasks make a grid of states', () => {
    const { states, transitions, joins, runs, schedules, deepest, violations } = explore(counters([]));
    expect([states, schedules, deepest, violations]).toEqual([6 ** 3, 756756, 15, []]);
    // Each run ends where another one was before, or at the end of all.
    expect([transitions, runs]).toEqual([3 * 5 * 6 * 6, joins + 1]);
  });

  it('keeps the orders of dependent steps apart', () => {
    const { states, schedules } = explore(counters([{}]));
    expect([states > 6 ** 3, schedules]).toEqual([true, 756756]);
  });

  it('follows each schedule where nothing is declared', () => {
    const scenario = scenarioOf(() => ({ a: undeclared(), b: undeclared() }));
    const { runs, schedules } = explore(scenario);
    expect([runs, schedules]).toEqual([6, 6]);
  });
});

describe('bounds', () => {
  it('say that the exploration is not complete', () => {
    const scenario = scenarioOf(() => ({ a: counting(4), b: counting(4) }));
    expect(explore(scenario, { maxStates: 5 }).complete).toBe(false);
    expect(explore(scenario, { maxStates: 5000 }).complete).toBe(true);
  });

  it('of steps are a violation', () => {
    function* forever(): ModelTask<void> {
      for (;;) yield { at: 'again' };
    }
    const scenario = scenarioOf(() => ({ a: forever() }));
    const rules = [
      explore(scenario, { maxSteps: 20 }).violations,
      exploreSeeds(scenario, { firstSeed: 1, schedules: 2, maxSteps: 20 }).violations,
    ].map((violations) => violations.map(({ rule, schedule }) => [rule, schedule.steps.length]));
    expect(rules).toEqual([[['step-limit', 20]], [['step-limit', 20]]]);
  });

  it('of steps are not passed by a schedule that ends with the last of them', () => {
    const scenario = scenarioOf(() => ({ a: counting(1) }));
    const rules = [1, 2].map((maxSteps) => [
      explore(scenario, { maxSteps }).violations.map(({ rule }) => rule),
      exploreSeeds(scenario, { firstSeed: 1, schedules: 1, maxSteps }).violations.map(({ rule }) => rule),
    ]);
    expect(rules).toEqual([
      [['step-limit'], ['step-limit']],
      [[], []],
    ]);
  });

  it('may be the first violation, and nothing is left out when it comes last', () => {
    const report = explore(crossed, { stopAtViolation: true });
    expect([report.violations.length, report.complete]).toEqual([1, false]);
    const alone = scenarioOf((scheduler) => {
      const mutex = new TaskMutex({ name: 'm', lockClass: 'm', scheduler });
      return { twice: both(mutex, mutex) };
    });
    const all = explore(alone, { stopAtViolation: true });
    expect([all.violations.length, all.complete]).toEqual([1, true]);
  });
});

describe('a schedule', () => {
  it('replays to the same fault', () => {
    const [violation] = explore(crossed).violations;
    if (violation === undefined) throw new Error('nothing found');
    const { fault, schedule } = replaySchedule(crossed, violation.schedule.choices);
    expect(fault).toEqual({ rule: violation.rule, detail: violation.detail });
    expect(showSchedule(schedule)).toBe(showSchedule(violation.schedule));
  });

  it('that does not end is given up', () => {
    function* forever(): ModelTask<void> {
      for (;;) yield { at: 'again' };
    }
    const { fault } = replaySchedule(
      scenarioOf(() => ({ a: forever() })),
      [],
    );
    expect(fault?.rule).toBe('step-limit');
  });

  it('that breaks a rule has no outcome, whoever finds it', () => {
    const scenario: ExploredScenario = (policy) => {
      const scheduler = new Scheduler({ policy });
      scheduler.spawn('a', counting(2));
      return { scheduler, check: () => ({ rule: 'never', detail: 'at all' }), outcome: () => 'ended' };
    };
    expect(explore(scenario).outcomes).toEqual([]);
    expect(exploreSeeds(scenario, { firstSeed: 1, schedules: 2 }).outcomes).toEqual([]);
  });

  it('of another scenario is refused', () => {
    expect(() => replaySchedule(crossed, [2])).toThrow(InternalError);
  });

  it('is found by seeds too, and the same seeds find the same', () => {
    const seeds = { firstSeed: 1, schedules: 100 };
    const report = exploreSeeds(crossed, seeds);
    expect(report.violations.map(({ rule }) => rule)).toEqual(['deadlock']);
    expect(exploreSeeds(crossed, seeds)).toEqual(report);
  });

  it('is not begun by the scenario itself', () => {
    const hasty: ExploredScenario = (policy) => {
      const scheduler = new Scheduler({ policy });
      for (const name of ['a', 'b']) scheduler.spawn(name, counting(1));
      scheduler.step();
      return { scheduler };
    };
    expect(() => explore(hasty)).toThrow(InternalError);
  });
});
