// MmuIntervalNotifier: a driver watches a range of user addresses and is told before the pages behind it change.
// Source followed: mm/mmu_notifier.c (mn_itree_inv_start_range, mn_itree_inv_end, mmu_interval_read_begin,
// mmu_interval_notifier_insert). The shared number is odd while an invalidation that meets a watcher runs.
// Simplified: a list instead of an interval tree; numbers do not wrap.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '../errno.ts';

/**
 * A change of user memory that is about to happen: bytes `start` to `end`, exclusive.
 * @public
 * @kernel struct mmu_notifier_range
 */
export interface MmuNotifierRange {
  readonly start: number;
  readonly end: number;
  /** False: the callback must not sleep; it says false instead. */
  readonly blockable: boolean;
}

/**
 * What a watcher does. It must call {@link mmuIntervalSetSeq} with `curSeq` under the lock that its readers take.
 * @public
 * @kernel struct mmu_interval_notifier_ops
 */
export interface MmuIntervalNotifierOps {
  /** False only for a range that is not blockable. */
  invalidate(sub: MmuIntervalNotifier, range: MmuNotifierRange, curSeq: number): ModelTask<boolean>;
}

/**
 * A watcher of bytes `start` to `end`, exclusive.
 * @public
 * @kernel struct mmu_interval_notifier
 */
export class MmuIntervalNotifier {
  readonly subscriptions: MmuNotifierSubscriptions;
  readonly start: number;
  readonly end: number;
  readonly ops: MmuIntervalNotifierOps;
  invalidateSeq: number;

  constructor(
    subscriptions: MmuNotifierSubscriptions,
    start: number,
    end: number,
    ops: MmuIntervalNotifierOps,
  ) {
    this.subscriptions = subscriptions;
    this.start = start;
    this.end = end;
    this.ops = ops;
    // Whatever is being invalidated now may meet the new range: it starts out as collided, until that is over.
    if (subscriptions.activeRanges > 0 && subscriptions.invalidateSeq % 2 === 0)
      subscriptions.invalidateSeq += 1;
    const seq = subscriptions.invalidateSeq;
    this.invalidateSeq = subscriptions.activeRanges > 0 ? seq : seq - 1;
  }
}

/**
 * The watchers of one address space.
 * @public
 * @kernel struct mmu_notifier_subscriptions
 */
export class MmuNotifierSubscriptions {
  invalidateSeq = 2;
  activeRanges = 0;
  readonly watchers: Set<MmuIntervalNotifier> = new Set();
  /** Added or removed while an invalidation runs; done when it ends. */
  readonly #deferred: (() => void)[] = [];

  /** Runs `change` now, or when no invalidation runs. @internal */
  whenQuiet(change: () => void): void {
    if (this.activeRanges > 0 && this.invalidateSeq % 2 === 1) this.#deferred.push(change);
    else change();
  }

  /** Tells the watchers of the range; 0, or -EAGAIN (nothing may then change) when one would have to sleep. @internal */
  *invalidateStart(range: MmuNotifierRange): ModelTask<number> {
    this.activeRanges += 1;
    const met = [...this.watchers].filter(({ start, end }) => start < range.end && range.start < end);
    if (met.length > 0) this.invalidateSeq += 1 - (this.invalidateSeq % 2);
    const seq = this.invalidateSeq;
    for (const sub of met) {
      // A watcher that refuses a range that may sleep is wrong: Linux warns, and goes on.
      if ((yield* sub.ops.invalidate(sub, range, seq)) || range.blockable) continue;
      this.invalidateEnd();
      return -Errno.EAGAIN;
    }
    return 0;
  }

  /** The pages have changed. @internal */
  invalidateEnd(): void {
    this.activeRanges -= 1;
    if (this.activeRanges > 0 || this.invalidateSeq % 2 === 0) return;
    this.invalidateSeq += 1;
    for (const change of this.#deferred.splice(0)) change();
  }
}

/**
 * Starts watching `length` bytes from `start` on.
 * @public
 * @kernel mmu_interval_notifier_insert
 */
export function mmuIntervalNotifierInsert(
  subscriptions: MmuNotifierSubscriptions,
  start: number,
  length: number,
  ops: MmuIntervalNotifierOps,
): MmuIntervalNotifier {
  const sub = new MmuIntervalNotifier(subscriptions, start, start + length, ops);
  subscriptions.whenQuiet(() => subscriptions.watchers.add(sub));
  return sub;
}

/**
 * Stops watching; returns when no callback of the watcher can run any more.
 * @public
 * @kernel mmu_interval_notifier_remove
 */
export function* mmuIntervalNotifierRemove(sub: MmuIntervalNotifier): ModelTask<void> {
  const { subscriptions } = sub;
  let removed = false;
  subscriptions.whenQuiet(() => {
    subscriptions.watchers.delete(sub);
    removed = true;
  });
  yield { at: 'mmu-notifier:remove', until: () => removed };
}

/**
 * Starts a read of the pages: waits while they are being invalidated, and answers the number for the retry.
 * @public
 * @kernel mmu_interval_read_begin
 */
export function* mmuIntervalReadBegin(sub: MmuIntervalNotifier): ModelTask<number> {
  const { subscriptions } = sub;
  const seq = sub.invalidateSeq;
  yield { at: 'mmu-notifier:read-begin', until: () => subscriptions.invalidateSeq !== seq };
  return seq;
}

/**
 * True when what was read since `seq` must not be used; asked under the lock that the callback takes.
 * @public
 * @kernel mmu_interval_read_retry
 */
export const mmuIntervalReadRetry = (sub: MmuIntervalNotifier, seq: number): boolean =>
  sub.invalidateSeq !== seq;

/**
 * A callback notes the invalidation that it is part of.
 * @public
 * @kernel mmu_interval_set_seq
 */
export function mmuIntervalSetSeq(sub: MmuIntervalNotifier, curSeq: number): void {
  sub.invalidateSeq = curSeq;
}
