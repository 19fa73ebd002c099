// Fences: one signal, callbacks in order, references given back, waits that end for the right reason.
import { fc, test } from '@fast-check/vitest';
import { Clock, type ModelTask, Scheduler } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { DmaBufPlatform } from '../dma-buf-platform.ts';
import {
  type DmaFence,
  type DmaFenceOps,
  dmaFenceGet,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
} from './dma-fence.ts';
import { dmaFenceArrayCreate } from './fence-array.ts';
import { DmaFenceCb, dmaFenceAddCallback, dmaFenceRemoveCallback } from './fence-callback.ts';
import { dmaFenceChainInit } from './fence-chain.ts';
import { dmaFenceIsLater } from './fence-order.ts';
import { dmaFenceUnwrapForEach, dmaFenceUnwrapMerge } from './fence-unwrap.ts';
import { dmaFenceWaitTimeout, MAX_SCHEDULE_TIMEOUT } from './fence-wait.ts';

interface Bench {
  readonly platform: DmaBufPlatform;
  readonly clock: Clock;
  rules(): unknown[];
}

function bench(): Bench {
  const clock = new Clock();
  const platform = new DmaBufPlatform({ scheduler: new Scheduler({ clock }) });
  platform.log.enabled = true;
  return { platform, clock, rules: () => platform.log.events.map((event) => event['rule']) };
}

function fenceOf({ platform }: Bench, seqno = 0, ops: DmaFenceOps = {}): DmaFence {
  return dmaFenceInit(platform, ops, { context: platform.takeContexts(1), seqno });
}

/** Runs a wait while `during` happens after `afterMs`. */
function waited(b: Bench, wait: ModelTask<number>, afterMs: number, during: () => void): number {
  b.clock.after(afterMs, during);
  return b.platform.scheduler.runTask('waiter', wait);
}

describe('callbacks', () => {
  it('run once, in the order in which they were added', () => {
    const b = bench();
    const fence = fenceOf(b);
    const seen: number[] = [];
    for (const n of [1, 2, 3]) dmaFenceAddCallback(fence, new DmaFenceCb(), () => seen.push(n));
    dmaFenceSignal(fence);
    dmaFenceSignal(fence);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('may add to and remove from the very fence that signals', () => {
    const b = bench();
    const fence = fenceOf(b);
    const late = new DmaFenceCb();
    const results: unknown[] = [];
    dmaFenceAddCallback(fence, new DmaFenceCb(), () => {
      results.push(dmaFenceAddCallback(fence, new DmaFenceCb(), () => results.push('never')));
      results.push(dmaFenceRemoveCallback(fence, late));
    });
    dmaFenceAddCallback(fence, late, () => results.push('late'));
    dmaFenceSignal(fence);
    expect(results).toEqual([-Errno.ENOENT, false, 'late']);
  });

  it('find a driver that says that the work is done', () => {
    const b = bench();
    const fence = fenceOf(b, 0, { enableSignaling: () => false });
    expect(dmaFenceAddCallback(fence, new DmaFenceCb(), () => {})).toBe(-Errno.ENOENT);
    expect(fence.signaled).toBe(true);
  });

  it('of a released fence hear that it deadlocked', () => {
    const b = bench();
    const fence = fenceOf(b);
    const heard: number[] = [];
    dmaFenceAddCallback(fence, new DmaFenceCb(), ({ error }) => heard.push(error));
    dmaFencePut(fence);
    expect(heard).toEqual([-Errno.EDEADLK]);
    expect(b.rules()).toEqual(['fence-released-unsignaled']);
    expect(() => dmaFenceGet(fence)).toThrow('fence-after-release');
  });
});

describe('a wait', () => {
  it('ends with what is left of its time when the fence signals', () => {
    const b = bench();
    const fence = fenceOf(b);
    expect(waited(b, dmaFenceWaitTimeout(fence, false, 100), 30, () => dmaFenceSignal(fence))).toBe(70);
  });

  it('ends with 0 when the time is over, also when the fence signals in the last tick', () => {
    const b = bench();
    const fence = fenceOf(b);
    expect(waited(b, dmaFenceWaitTimeout(fence, false, 10), 30, () => {})).toBe(0);
    expect(fence.callbacks).toEqual([]);
    const other = fenceOf(b);
    expect(waited(b, dmaFenceWaitTimeout(other, false, 10), 10, () => dmaFenceSignal(other))).toBe(0);
  });

  it('is ended by a signal to the task only when it is interruptible', () => {
    const b = bench();
    const fence = fenceOf(b);
    const { scheduler } = b.platform;
    const task = scheduler.spawn('waiter', dmaFenceWaitTimeout(fence, true, MAX_SCHEDULE_TIMEOUT));
    const deaf = scheduler.spawn('deaf', dmaFenceWaitTimeout(fence, false, MAX_SCHEDULE_TIMEOUT));
    scheduler.run();
    b.platform.interrupt(task);
    b.platform.interrupt(deaf);
    scheduler.run();
    expect([task.result, deaf.done]).toEqual([-Errno.ERESTARTSYS, false]);
    dmaFenceSignal(fence);
    scheduler.run();
    expect(deaf.result).toBe(MAX_SCHEDULE_TIMEOUT);
  });
});

test.prop([fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })])(
  '32-bit sequence numbers keep their order across a wrap',
  (seqno, ahead) => {
    const b = bench();
    const [early, late] = [seqno, (seqno + ahead) % 2 ** 32].map((n) =>
      dmaFenceInit(b.platform, {}, { context: 7, seqno: n }),
    ) as [DmaFence, DmaFence];
    expect([dmaFenceIsLater(late, early), dmaFenceIsLater(early, late)]).toEqual([true, false]);
  },
);

test.prop([fc.array(fc.tuple(fc.nat(3), fc.nat(5), fc.boolean()), { minLength: 1, maxLength: 12 })])(
  'merging keeps the latest unsignaled fence of each context and gives every reference back',
  (wanted) => {
    const b = bench();
    const fences = wanted.map(([context, seqno, signaled]) => {
      const fence = dmaFenceInit(b.platform, {}, { context: context + 100, seqno });
      if (signaled) dmaFenceSignal(fence);
      return fence;
    });
    const outcome = dmaFenceUnwrapMerge(b.platform, fences);
    expect(outcome.ok).toBe(true);
    if (!outcome.ok) return;
    const latest = new Map<number, number>();
    for (const { context, seqno, signaled } of fences) {
      if (!signaled) latest.set(context, Math.max(latest.get(context) ?? 0, seqno));
    }
    const leaves = [...dmaFenceUnwrapForEach(outcome.value)].filter(({ signaled }) => !signaled);
    expect(leaves.map(({ context, seqno }) => [context, seqno])).toEqual(
      [...latest].sort(([a], [c]) => a - c),
    );
    dmaFencePut(outcome.value);
    expect(fences.map(({ refs }) => refs)).toEqual(fences.map(() => 1));
  },
);

test.prop([fc.array(fc.nat(7), { minLength: 1, maxLength: 8 }), fc.boolean()])(
  'arrays and chains signal exactly when their last member does, in any order, and keep no reference',
  (order, watched) => {
    const b = bench();
    const members = Array.from({ length: 8 }, () => fenceOf(b));
    const array = dmaFenceArrayCreate(b.platform, members.map(dmaFenceGet), b.platform.takeContexts(1), 1);
    if (!array.ok) throw new Error('no memory');
    const chain = members.reduce<DmaFence | null>(
      (prev, member, at) => dmaFenceChainInit(prev, dmaFenceGet(member), at + 1),
      null,
    ) as DmaFence;
    const whole = [array.value, chain];
    if (watched) for (const fence of whole) dmaFenceAddCallback(fence, new DmaFenceCb(), () => {});
    const rest = members.filter((_, at) => !order.includes(at));
    for (const at of order) dmaFenceSignal(members[at] as DmaFence);
    for (const member of rest) {
      if (watched) expect(whole.map(({ signaled }) => signaled)).toEqual([false, false]);
      dmaFenceSignal(member);
    }
    if (watched) expect(whole.map(({ signaled }) => signaled)).toEqual([true, true]);
    whole.forEach(dmaFencePut);
    expect(members.map(({ refs }) => refs)).toEqual(members.map(() => 1));
  },
);
