// Watchers: the number that readers compare while several invalidations run, are refused, or meet one that comes or goes.
import { type ModelTask, Scheduler } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { Errno } from '../errno.ts';
import {
  type MmuIntervalNotifier,
  MmuNotifierSubscriptions,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
} from './mmu-interval-notifier.ts';

const PAGE = 4096;
const change = { start: 0, end: PAGE, blockable: true };

function watched() {
  const scheduler = new Scheduler();
  const notifiers = new MmuNotifierSubscriptions();
  const insert = (): MmuIntervalNotifier =>
    mmuIntervalNotifierInsert(notifiers, 0, PAGE, {
      *invalidate(self, { blockable }, seq): ModelTask<boolean> {
        if (!blockable) return false;
        yield { at: 'test:callback' };
        mmuIntervalSetSeq(self, seq);
        return true;
      },
    });
  const run = <T>(body: ModelTask<T>): T => scheduler.runTask('test', body);
  return { scheduler, notifiers, insert, run, sub: insert() };
}

describe('readers', () => {
  it('wait until the last of several invalidations is over, and then see that they must look again', () => {
    const { scheduler, notifiers, run, sub } = watched();
    const before = run(mmuIntervalReadBegin(sub));
    run(notifiers.invalidateStart(change));
    run(notifiers.invalidateStart(change));
    const reader = scheduler.spawn('reader', mmuIntervalReadBegin(sub), { daemon: true });
    scheduler.run();
    expect([reader.done, notifiers.activeRanges, notifiers.invalidateSeq % 2]).toEqual([false, 2, 1]);
    notifiers.invalidateEnd();
    scheduler.run();
    expect([reader.done, notifiers.activeRanges, notifiers.invalidateSeq % 2]).toEqual([false, 1, 1]);
    notifiers.invalidateEnd();
    scheduler.run();
    expect([reader.done, notifiers.activeRanges, notifiers.invalidateSeq % 2]).toEqual([true, 0, 0]);
    expect(mmuIntervalReadRetry(sub, before)).toBe(true);
    expect(mmuIntervalReadRetry(sub, reader.result ?? -1)).toBe(false);
  });

  it('are not kept by an invalidation that was refused', () => {
    const { notifiers, run, sub } = watched();
    const before = run(mmuIntervalReadBegin(sub));
    expect(run(notifiers.invalidateStart({ ...change, blockable: false }))).toBe(-Errno.EAGAIN);
    expect([notifiers.activeRanges, notifiers.invalidateSeq % 2]).toEqual([0, 0]);
    expect(mmuIntervalReadRetry(sub, before)).toBe(false);
    expect(run(mmuIntervalReadBegin(sub))).toBe(before);
  });

  it('of a range that nothing meets go on while others are invalidated', () => {
    const { notifiers, run, sub } = watched();
    const before = run(mmuIntervalReadBegin(sub));
    run(notifiers.invalidateStart({ ...change, start: PAGE, end: 2 * PAGE }));
    expect([notifiers.activeRanges, notifiers.invalidateSeq % 2]).toEqual([1, 0]);
    expect(run(mmuIntervalReadBegin(sub))).toBe(before);
    notifiers.invalidateEnd();
    expect(mmuIntervalReadRetry(sub, before)).toBe(false);
  });
});

describe('while an invalidation runs', () => {
  it('a watcher that goes is still there until the end', () => {
    const { scheduler, notifiers, run, sub } = watched();
    run(notifiers.invalidateStart(change));
    const removal = scheduler.spawn('remove', mmuIntervalNotifierRemove(sub), { daemon: true });
    scheduler.run();
    expect([removal.done, notifiers.watchers.has(sub)]).toEqual([false, true]);
    notifiers.invalidateEnd();
    scheduler.run();
    expect([removal.done, notifiers.watchers.has(sub)]).toEqual([true, false]);
  });

  it('a watcher that comes is there only afterwards, and its first read waits', () => {
    const { scheduler, notifiers, insert, run } = watched();
    run(notifiers.invalidateStart(change));
    const late = insert();
    const reader = scheduler.spawn('reader', mmuIntervalReadBegin(late), { daemon: true });
    scheduler.run();
    expect([notifiers.watchers.has(late), reader.done]).toEqual([false, false]);
    notifiers.invalidateEnd();
    scheduler.run();
    expect([notifiers.watchers.has(late), reader.done]).toEqual([true, true]);
  });
});
