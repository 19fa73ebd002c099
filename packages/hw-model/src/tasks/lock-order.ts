// LockOrder: who holds which lock, and whether locks are taken in the one order that cannot deadlock.
// Source followed: the kernel's lock validator (kernel/locking/lockdep.c) as far as a fixed order of classes needs it.
// Simplified: the order is given, not learnt; locks of one class have no order among themselves unless they are nested
// on purpose, and code outside any task counts as one more task.

import type { Scheduler } from '../scheduler.ts';

/**
 * What was wrong with taking a lock: `lock-order` = a lock of an outer class is taken while one of an inner class is
 * held; `lock-recursion` = the task already holds this very lock; `lock-not-held` = it is needed or given back, but
 * not held.
 * @public
 */
export type LockFault = 'lock-order' | 'lock-recursion' | 'lock-not-held';

/**
 * A lock as the order sees it.
 * @public
 */
export interface OrderedLock {
  /** Names the lock in reports. */
  readonly name: string;
  /** Its class in the order; a class that the order does not list is never compared. */
  readonly lockClass: string;
}

/**
 * Told of each fault; `holding` are the locks of the task at that moment, the oldest first.
 * @public
 */
export type LockFaultReport = (
  fault: LockFault,
  details: { readonly lock: string; readonly task: string; readonly holding: readonly string[] },
) => void;

/**
 * Watches the locks of a machine. Every lock of {@link TaskMutex} and {@link TaskRwLock} that is given one reports to it.
 * @public
 */
export class LockOrder {
  readonly #scheduler: Scheduler;
  readonly #rank: ReadonlyMap<string, number>;
  readonly #report: LockFaultReport;
  readonly #held = new Map<object, OrderedLock[]>();

  /** @param outermostFirst - the classes, in the order in which they may be nested */
  constructor(scheduler: Scheduler, outermostFirst: readonly string[], report: LockFaultReport) {
    this.#scheduler = scheduler;
    this.#rank = new Map(outermostFirst.map((lockClass, index) => [lockClass, index]));
    this.#report = report;
  }

  /** The locks that the running task holds, the oldest first. */
  get held(): readonly OrderedLock[] {
    return this.#held.get(this.#holder()) ?? [];
  }

  /** Before a task waits for `lock`; a trial that cannot wait does not ask. */
  willAcquire(lock: OrderedLock): void {
    const held = this.held;
    if (held.includes(lock)) {
      this.fault('lock-recursion', lock);
      return;
    }
    const rank = this.#rank.get(lock.lockClass);
    if (rank === undefined) return;
    if (held.some((other) => (this.#rank.get(other.lockClass) ?? -1) > rank)) this.fault('lock-order', lock);
  }

  /** A task got `lock`. */
  acquired(lock: OrderedLock): void {
    const holder = this.#holder();
    const held = this.#held.get(holder);
    if (held === undefined) this.#held.set(holder, [lock]);
    else held.push(lock);
  }

  /** The running task gives `lock` back. */
  released(lock: OrderedLock): void {
    const holder = this.#holder();
    const held = this.#held.get(holder) ?? [];
    const at = held.lastIndexOf(lock);
    if (at < 0) {
      this.fault('lock-not-held', lock);
      return;
    }
    held.splice(at, 1);
    if (held.length === 0) this.#held.delete(holder);
  }

  /** Reports a fault of the running task. */
  fault(fault: LockFault, lock: OrderedLock): void {
    this.#report(fault, {
      lock: lock.name,
      task: this.#scheduler.current?.name ?? 'outside any task',
      holding: this.held.map(({ name }) => name),
    });
  }

  /** True when no task holds any lock. */
  get allFree(): boolean {
    return this.#held.size === 0;
  }

  #holder(): object {
    return this.#scheduler.current ?? this.#scheduler;
  }
}
