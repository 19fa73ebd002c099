// Scheduler: interleavings are a function of the seed, every one can be replayed, and a deadlock is named.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { firstChoice, replayedChoices } from './choice-policy.ts';
import { Clock } from './clock.ts';
import { InternalError } from './internal-error.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import type { ModelTask } from './yield-point.ts';

function* steps(trace: string[], name: string, count: number): ModelTask<number> {
  for (let i = 0; i < count; i += 1) {
    yield { at: `${name}:${i}` };
    trace.push(`${name}${i}`);
  }
  return count;
}

function interleave(options: SchedulerOptions): { trace: string[]; choices: readonly number[] } {
  const scheduler = new Scheduler(options);
  const trace: string[] = [];
  for (const name of ['a', 'b', 'c']) scheduler.spawn(name, steps(trace, name, 3));
  expect(scheduler.run().status).toBe('idle');
  return { trace, choices: scheduler.choices };
}

describe('interleavings', () => {
  it('keep each task in its own order', () => {
    const { trace } = interleave({ seed: 5 });
    for (const name of ['a', 'b', 'c']) {
      expect(trace.filter((entry) => entry.startsWith(name))).toEqual([`${name}0`, `${name}1`, `${name}2`]);
    }
  });

  it('differ between seeds', () => {
    const seen = new Set(Array.from({ length: 20 }, (_, seed) => interleave({ seed }).trace.join()));
    expect(seen.size).toBeGreaterThan(10);
  });

  it('run tasks to their ends one after the other under the first choice', () => {
    const { trace } = interleave({ policy: firstChoice });
    expect(trace).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2', 'c0', 'c1', 'c2']);
  });

  test.prop([fc.integer()])(
    'are the same for the same seed, and when replayed from their choices',
    (seed) => {
      const recorded = interleave({ seed });
      expect(interleave({ seed })).toEqual(recorded);
      expect(interleave({ policy: replayedChoices(recorded.choices) })).toEqual(recorded);
    },
  );

  it('record a choice only where there was one', () => {
    const scheduler = new Scheduler();
    scheduler.runTask('alone', steps([], 'alone', 4));
    expect(scheduler.choices).toEqual([]);
  });

  it('refuse a policy that chooses nobody', () => {
    const scheduler = new Scheduler({ policy: () => 2 });
    scheduler.spawn('a', steps([], 'a', 1));
    scheduler.spawn('b', steps([], 'b', 1));
    expect(() => scheduler.run()).toThrow(InternalError);
  });

  it('refuse a choice that names a task of an earlier step only', () => {
    const answers = [0, 0, 2];
    const scheduler = new Scheduler({ policy: () => answers.shift() ?? 0 });
    for (const name of ['a', 'b', 'c']) scheduler.spawn(name, steps([], name, 1));
    scheduler.step();
    scheduler.step();
    expect(() => scheduler.step()).toThrow(InternalError);
  });
});

describe('waiting', () => {
  it('lets a blocked task run once its condition holds', () => {
    const scheduler = new Scheduler();
    const trace: string[] = [];
    let open = false;
    scheduler.spawn(
      'waiter',
      (function* (): ModelTask<void> {
        yield { at: 'gate', until: () => open };
        trace.push('waiter');
      })(),
    );
    scheduler.spawn(
      'opener',
      (function* (): ModelTask<void> {
        yield { at: 'before' };
        trace.push('opener');
        open = true;
      })(),
    );
    expect(scheduler.run()).toEqual({ status: 'idle', steps: 4, blocked: [] });
    expect(trace).toEqual(['opener', 'waiter']);
  });

  it('names the tasks of a deadlock and where they are', () => {
    const locks = { first: false, second: false };
    const both = function* (one: 'first' | 'second', two: 'first' | 'second'): ModelTask<void> {
      yield { at: `lock:${one}`, until: () => !locks[one] };
      locks[one] = true;
      yield { at: 'between' };
      yield { at: `lock:${two}`, until: () => !locks[two] };
    };
    const scheduler = new Scheduler({ policy: replayedChoices([0, 0, 1, 1, 0, 0]) });
    scheduler.spawn('left', both('first', 'second'));
    scheduler.spawn('right', both('second', 'first'));
    const outcome = scheduler.run();
    expect(outcome.status).toBe('deadlock');
    expect(outcome.blocked).toEqual([
      { task: 'left', at: 'lock:second' },
      { task: 'right', at: 'lock:first' },
    ]);
  });

  it('does not take a waiting daemon for a deadlock', () => {
    const scheduler = new Scheduler();
    const task = (function* (): ModelTask<void> {
      yield { at: 'idle', until: () => false };
    })();
    scheduler.spawn('hardware', task, { daemon: true });
    expect(scheduler.run()).toEqual({ status: 'idle', steps: 1, blocked: [] });
    expect(scheduler.tasks.map((left) => left.at)).toEqual(['idle']);
  });

  it('throws when the task it was asked to run is blocked for ever', () => {
    const scheduler = new Scheduler();
    const task = (function* (): ModelTask<void> {
      yield { at: 'never', until: () => false };
    })();
    expect(() => scheduler.runTask('stuck', task)).toThrow(InternalError);
  });

  it('lets time pass to the next timer only while a task waits', () => {
    const clock = new Clock();
    const scheduler = new Scheduler({ clock });
    let rung = false;
    clock.after(10, () => {
      rung = true;
    });
    clock.after(50, () => undefined);
    scheduler.spawn(
      'sleeper',
      (function* (): ModelTask<void> {
        yield { at: 'sleep', until: () => rung };
      })(),
    );
    expect(scheduler.run().status).toBe('idle');
    expect([clock.nowMs, clock.nextDueMs]).toEqual([10, 50]);
  });
});

describe('tasks', () => {
  it('give their results, also to tasks that join them', () => {
    const scheduler = new Scheduler();
    const child = scheduler.spawn('child', steps([], 'child', 2));
    expect(child.at).toBe('start');
    const parent = (function* (): ModelTask<number> {
      return (yield* child.join()) + 1;
    })();
    expect(scheduler.runTask('parent', parent)).toBe(3);
    expect([child.done, child.result, child.at]).toEqual([true, 2, 'end']);
    expect(scheduler.tasks).toEqual([]);
  });

  it('may spawn tasks', () => {
    const scheduler = new Scheduler();
    const trace: string[] = [];
    const parent = (function* (): ModelTask<void> {
      yield { at: 'parent' };
      scheduler.spawn('child', steps(trace, 'child', 1));
    })();
    scheduler.spawn('parent', parent);
    scheduler.run();
    expect(trace).toEqual(['child0']);
  });

  it('must not drive the scheduler that runs them', () => {
    const scheduler = new Scheduler();
    const task = (function* (): ModelTask<void> {
      scheduler.step();
      yield { at: 'unreached' };
    })();
    expect(() => scheduler.runTask('nested', task)).toThrow(InternalError);
  });

  it('end with the exception they throw', () => {
    const scheduler = new Scheduler();
    const task = (function* (): ModelTask<void> {
      yield { at: 'before' };
      throw new RangeError('boom');
    })();
    scheduler.spawn('broken', task);
    expect(() => scheduler.run()).toThrow(RangeError);
    expect(scheduler.tasks).toEqual([]);
    expect(scheduler.run().status).toBe('idle');
  });

  it('stop at a step limit and can go on', () => {
    const scheduler = new Scheduler();
    const trace: string[] = [];
    scheduler.spawn('a', steps(trace, 'a', 5));
    expect(scheduler.run(3)).toEqual({ status: 'step-limit', steps: 3, blocked: [] });
    expect(trace).toEqual(['a0', 'a1']);
    expect(scheduler.run().status).toBe('idle');
  });

  it('are shown to an observer before each step, with all that could run', () => {
    const scheduler = new Scheduler({ policy: firstChoice });
    const seen: string[] = [];
    scheduler.onStep = (task, runnable) => seen.push(`${task.name}@${task.at}/${runnable.length}`);
    scheduler.spawn('a', steps([], 'a', 1));
    scheduler.spawn('b', steps([], 'b', 1));
    scheduler.run();
    expect(seen).toEqual(['a@start/2', 'a@a:0/2', 'b@start/1', 'b@b:0/1']);
  });
});
