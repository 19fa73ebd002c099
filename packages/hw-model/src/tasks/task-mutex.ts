// TaskMutex: a lock that one task holds at a time and that others wait for.
// Source followed: the behaviour that kernel code relies on (kernel/locking/mutex.c): the holder gives it back.
// Simplified: waiters have no order; the scheduler chooses among them.

import { InternalError } from '../internal-error.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ModelTask, YieldPoint } from '../yield-point.ts';
import type { LockOrder, OrderedLock } from './lock-order.ts';

/**
 * What a lock is made with.
 * @public
 */
export interface TaskLockOptions extends OrderedLock {
  readonly scheduler: Scheduler;
  /** Watches the order of locks. */
  readonly order?: LockOrder;
}

/**
 * A mutual exclusion lock among tasks.
 * @public
 */
export class TaskMutex implements OrderedLock {
  readonly name: string;
  readonly lockClass: string;
  readonly #scheduler: Scheduler;
  readonly #order: LockOrder | undefined;
  readonly #point: YieldPoint;
  #holder: object | null = null;

  constructor(options: TaskLockOptions) {
    this.name = options.name;
    this.lockClass = options.lockClass;
    this.#scheduler = options.scheduler;
    this.#order = options.order;
    this.#point = { at: `${options.lockClass}:lock`, until: () => this.#holder === null };
  }

  get locked(): boolean {
    return this.#holder !== null;
  }

  /** True when the task that runs now (or, outside any task, the caller) holds it. */
  get heldByCurrent(): boolean {
    return this.#holder === this.#caller();
  }

  /** Waits until the lock is free and takes it. A task that takes it twice waits for ever. */
  *lock(): ModelTask<void> {
    this.#order?.willAcquire(this);
    const point = this.#point;
    yield point;
    this.#take();
  }

  /** Takes the lock if it is free. */
  tryLock(): boolean {
    if (this.#holder !== null) return false;
    this.#take();
    return true;
  }

  /** Gives the lock back. Throws {@link InternalError} when the caller does not hold it. */
  unlock(): void {
    if (!this.heldByCurrent) {
      this.#order?.fault('lock-not-held', this);
      throw new InternalError(`${this.name} is unlocked by a task that does not hold it`);
    }
    this.#order?.released(this);
    this.#holder = null;
  }

  #take(): void {
    this.#holder = this.#caller();
    this.#order?.acquired(this);
  }

  #caller(): object {
    return this.#scheduler.current ?? this.#scheduler;
  }
}
