// TaskRwLock: a lock that many tasks may read-hold, or one may write-hold.
// Source followed: the behaviour that kernel code relies on (kernel/locking/rwsem.c): a waiting writer stops new readers.
// Simplified: waiters have no order beyond that; a read hold cannot be upgraded.

import { InternalError } from '../internal-error.ts';
import type { Scheduler } from '../scheduler.ts';
import type { ModelTask, YieldPoint } from '../yield-point.ts';
import type { LockOrder, OrderedLock } from './lock-order.ts';
import type { TaskLockOptions } from './task-mutex.ts';

/**
 * A reader-writer lock among tasks.
 * @public
 */
export class TaskRwLock implements OrderedLock {
  readonly name: string;
  readonly lockClass: string;
  readonly #scheduler: Scheduler;
  readonly #order: LockOrder | undefined;
  readonly #readPoint: YieldPoint;
  readonly #writePoint: YieldPoint;
  readonly #readers: object[] = [];
  #writer: object | null = null;
  #waitingWriters = 0;

  constructor(options: TaskLockOptions) {
    this.name = options.name;
    this.lockClass = options.lockClass;
    this.#scheduler = options.scheduler;
    this.#order = options.order;
    this.#readPoint = { at: `${options.lockClass}:read-lock`, until: () => this.#readable() };
    this.#writePoint = { at: `${options.lockClass}:write-lock`, until: () => this.#writable() };
  }

  /** True when the task that runs now write-holds it. */
  get writeHeldByCurrent(): boolean {
    return this.#writer === this.#caller();
  }

  /** True when the task that runs now holds it in either way. */
  get heldByCurrent(): boolean {
    return this.writeHeldByCurrent || this.#readers.includes(this.#caller());
  }

  /** Waits until no writer holds it or waits for it, and read-holds it. */
  *readLock(): ModelTask<void> {
    this.#order?.willAcquire(this);
    const point = this.#readPoint;
    yield point;
    this.#readers.push(this.#caller());
    this.#order?.acquired(this);
  }

  /** Waits until nobody holds it, and write-holds it. */
  *writeLock(): ModelTask<void> {
    this.#order?.willAcquire(this);
    const point = this.#writePoint;
    this.#waitingWriters += 1;
    try {
      yield point;
    } finally {
      this.#waitingWriters -= 1;
    }
    this.#takeWrite();
  }

  /** Write-holds it if nobody holds it. */
  tryWriteLock(): boolean {
    if (!this.#writable()) return false;
    this.#takeWrite();
    return true;
  }

  /** Gives a read hold back. Throws {@link InternalError} when the caller has none. */
  readUnlock(): void {
    const at = this.#readers.indexOf(this.#caller());
    if (at < 0) this.#notHeld();
    this.#order?.released(this);
    this.#readers.splice(at, 1);
  }

  /** Gives the write hold back. Throws {@link InternalError} when the caller has none. */
  writeUnlock(): void {
    if (!this.writeHeldByCurrent) this.#notHeld();
    this.#order?.released(this);
    this.#writer = null;
  }

  #takeWrite(): void {
    this.#writer = this.#caller();
    this.#order?.acquired(this);
  }

  #readable(): boolean {
    return this.#writer === null && this.#waitingWriters === 0;
  }

  #writable(): boolean {
    return this.#writer === null && this.#readers.length === 0;
  }

  #notHeld(): never {
    this.#order?.fault('lock-not-held', this);
    throw new InternalError(`${this.name} is unlocked by a task that does not hold it`);
  }

  #caller(): object {
    return this.#scheduler.current ?? this.#scheduler;
  }
}
