// Locks and completions among tasks: exclusion, waiting writers, and every fault of the lock order.
import { describe, expect, it } from 'vitest';
import { InternalError } from '../internal-error.ts';
import { Scheduler } from '../scheduler.ts';
import type { ModelTask } from '../yield-point.ts';
import { LockOrder } from './lock-order.ts';
import { TaskCompletion } from './task-completion.ts';
import { TaskMutex } from './task-mutex.ts';
import { TaskRwLock } from './task-rw-lock.ts';

function watched(seed: number): { scheduler: Scheduler; order: LockOrder; faults: string[] } {
  const scheduler = new Scheduler({ seed });
  const faults: string[] = [];
  const order = new LockOrder(scheduler, ['outer', 'inner'], (fault, { lock, task, holding }) => {
    faults.push(`${fault} ${lock} ${task} ${holding.join('+')}`);
  });
  return { scheduler, order, faults };
}

describe('TaskMutex', () => {
  it('lets one task in at a time under every seed tried', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const { scheduler, order } = watched(seed);
      const mutex = new TaskMutex({ name: 'm', lockClass: 'outer', scheduler, order });
      let inside = 0;
      function* worker(): ModelTask<void> {
        yield* mutex.lock();
        inside += 1;
        expect(inside).toBe(1);
        yield { at: 'work' };
        expect(mutex.heldByCurrent).toBe(true);
        inside -= 1;
        mutex.unlock();
      }
      for (const name of ['a', 'b', 'c']) scheduler.spawn(name, worker());
      expect(scheduler.run().status).toBe('idle');
      expect(order.allFree).toBe(true);
    }
  });

  it('is not given back by who does not hold it', () => {
    const { scheduler, order, faults } = watched(1);
    const mutex = new TaskMutex({ name: 'm', lockClass: 'outer', scheduler, order });
    expect(mutex.tryLock()).toBe(true);
    expect(mutex.tryLock()).toBe(false);
    scheduler.spawn(
      'thief',
      (function* (): ModelTask<void> {
        yield { at: 'now' };
        mutex.unlock();
      })(),
    );
    expect(() => scheduler.run()).toThrow(InternalError);
    expect(faults).toEqual(['lock-not-held m thief ']);
    mutex.unlock();
    expect(mutex.locked).toBe(false);
  });

  it('taken twice by one task is a recursion and blocks it for ever', () => {
    const { scheduler, order, faults } = watched(1);
    const mutex = new TaskMutex({ name: 'm', lockClass: 'outer', scheduler, order });
    function* twice(): ModelTask<void> {
      yield* mutex.lock();
      yield* mutex.lock();
    }
    scheduler.spawn('twice', twice());
    expect(scheduler.run()).toMatchObject({
      status: 'deadlock',
      blocked: [{ task: 'twice', at: 'outer:lock' }],
    });
    expect(faults).toEqual(['lock-recursion m twice m']);
  });
});

describe('LockOrder', () => {
  it('reports an outer lock taken inside an inner one, and nothing else', () => {
    const { scheduler, order, faults } = watched(1);
    const outer = new TaskRwLock({ name: 'o', lockClass: 'outer', scheduler, order });
    const inner = new TaskMutex({ name: 'i', lockClass: 'inner', scheduler, order });
    const other = new TaskMutex({ name: 'x', lockClass: 'unlisted', scheduler, order });
    function* right(): ModelTask<void> {
      yield* outer.writeLock();
      yield* inner.lock();
      yield* other.lock();
      other.unlock();
      inner.unlock();
      outer.writeUnlock();
    }
    function* wrong(): ModelTask<void> {
      yield* inner.lock();
      yield* outer.readLock();
      outer.readUnlock();
      inner.unlock();
    }
    scheduler.runTask('right', right());
    expect(faults).toEqual([]);
    scheduler.runTask('wrong', wrong());
    expect(faults).toEqual(['lock-order o wrong i']);
    expect(order.allFree).toBe(true);
  });
});

describe('TaskRwLock', () => {
  it('lets readers share and a writer be alone under every seed tried', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const { scheduler, order } = watched(seed);
      const lock = new TaskRwLock({ name: 'rw', lockClass: 'outer', scheduler, order });
      let readers = 0;
      let writers = 0;
      function* reader(): ModelTask<void> {
        yield* lock.readLock();
        readers += 1;
        expect(writers).toBe(0);
        yield { at: 'read' };
        readers -= 1;
        lock.readUnlock();
      }
      function* writer(): ModelTask<void> {
        yield* lock.writeLock();
        writers += 1;
        expect([readers, writers, lock.writeHeldByCurrent]).toEqual([0, 1, true]);
        yield { at: 'write' };
        writers -= 1;
        lock.writeUnlock();
      }
      for (const name of ['r1', 'r2']) scheduler.spawn(name, reader());
      for (const name of ['w1', 'w2']) scheduler.spawn(name, writer());
      expect(scheduler.run().status).toBe('idle');
      expect(lock.tryWriteLock()).toBe(true);
      expect(() => lock.readUnlock()).toThrow(InternalError);
      lock.writeUnlock();
      expect(() => lock.writeUnlock()).toThrow(InternalError);
    }
  });

  it('makes new readers wait behind a waiting writer', () => {
    const { scheduler } = watched(1);
    const lock = new TaskRwLock({ name: 'rw', lockClass: 'outer', scheduler });
    const first = lock.readLock();
    first.next();
    first.next();
    const writer = lock.writeLock();
    writer.next();
    const point = lock.readLock().next().value;
    expect(point?.until?.()).toBe(false);
    expect(lock.tryWriteLock()).toBe(false);
  });
});

describe('TaskCompletion', () => {
  it('lets one waiter through for each completion, and everybody after a completion of all', () => {
    const scheduler = new Scheduler();
    const done = new TaskCompletion('unmapped');
    const tasks = ['a', 'b', 'c'].map((name) => scheduler.spawn(name, done.wait()));
    const passed = (): number => tasks.filter((task) => task.done).length;
    scheduler.run();
    expect(passed()).toBe(0);
    done.complete();
    scheduler.run();
    expect([passed(), done.done]).toEqual([1, false]);
    done.completeAll();
    scheduler.run();
    expect([passed(), done.done]).toEqual([3, true]);
    done.reinit();
    expect(done.done).toBe(false);
  });
});
