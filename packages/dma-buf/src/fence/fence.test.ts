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
  dmaFenceGetStatus,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSetError,
  dmaFenceSignal,
} from './dma-fence.ts';
import { dmaFenceArrayCreate } from './fence-array.ts';
import { DmaFenceCb, dmaFenceAddCallback, dmaFenceRemoveCallback } from './fence-callback.ts';
import { type DmaFenceChain, dmaFenceChainFindSeqno, dmaFenceChainInit } from './fence-chain.ts';
import { dmaFenceIsLater } from './fence-order.ts';
import { dmaFenceDedupArray, dmaFenceUnwrapForEach, dmaFenceUnwrapMerge } from './fence-unwrap.ts';
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

describe('a driver', () => {
  it('is asked to signal once, however many want to be told', () => {
    const b = bench();
    let asked = 0;
    const enableSignaling = (): boolean => {
      asked += 1;
      return true;
    };
    const fence = fenceOf(b, 0, { enableSignaling });
    for (let n = 0; n < 3; n += 1) expect(dmaFenceAddCallback(fence, new DmaFenceCb(), () => {})).toBe(0);
    expect(asked).toBe(1);
  });

  it('may be gone once its fence signaled, unless it releases or waits itself', () => {
    const b = bench();
    const release = (): void => {};
    const wait = (): ModelTask<number> => dmaFenceWaitTimeout(fenceOf(b), false, 0);
    const all: DmaFenceOps[] = [{}, { signaled: () => false }, { release }, { wait }];
    const left = all.map((ops) => {
      const fence = fenceOf(b, 0, ops);
      dmaFenceSignal(fence);
      return fence.ops !== null;
    });
    expect(left).toEqual([false, false, true, true]);
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

describe('a wait that ends for two reasons', () => {
  it('says that the task has a signal pending, though the fence signaled as well', () => {
    const b = bench();
    const fence = fenceOf(b);
    const { scheduler } = b.platform;
    const task = scheduler.spawn('waiter', dmaFenceWaitTimeout(fence, true, MAX_SCHEDULE_TIMEOUT));
    scheduler.run();
    dmaFenceSignal(fence);
    b.platform.interrupt(task);
    scheduler.run();
    expect(task.result).toBe(-Errno.ERESTARTSYS);
  });

  it('sees a signaled fence first when it need not wait at all', () => {
    const b = bench();
    const fence = fenceOf(b);
    dmaFenceSignal(fence);
    const { scheduler } = b.platform;
    const task = scheduler.spawn('waiter', dmaFenceWaitTimeout(fence, true, 0));
    b.platform.interrupt(task);
    scheduler.run();
    expect(task.result).toBe(1);
  });

  it('cannot be given less than no time', () => {
    const b = bench();
    expect(b.platform.scheduler.runTask('w', dmaFenceWaitTimeout(fenceOf(b), false, -1))).toBe(-Errno.EINVAL);
    expect(b.rules()).toEqual(['fence-timeout-negative']);
  });
});

describe('containers', () => {
  it('take no chain as what a node adds', () => {
    const b = bench();
    const inner = dmaFenceChainInit(null, fenceOf(b), 1);
    const outer = dmaFenceChainInit(null, inner, 1);
    expect(b.rules()).toEqual(['fence-chain-nested']);
    dmaFencePut(outer);
    expect(inner.refs).toBe(0);
  });

  it('keep the first of fences with one number, and the order of the others', () => {
    const b = bench();
    const [first, same, later, other] = [
      [9, 4],
      [9, 4],
      [9, 5],
      [8, 1],
    ].map(([context = 0, seqno = 0]) => dmaFenceInit(b.platform, {}, { context, seqno })) as [
      DmaFence,
      DmaFence,
      DmaFence,
      DmaFence,
    ];
    expect(dmaFenceDedupArray([first, same])).toEqual([first]);
    expect([first.refs, same.refs]).toEqual([1, 0]);
    expect(dmaFenceDedupArray([first, other, later])).toEqual([other, later]);
    expect(first.refs).toBe(0);
  });

  it('have the first error of a member, also of one that had signaled before', () => {
    const b = bench();
    const members = [fenceOf(b), fenceOf(b), fenceOf(b)];
    const array = dmaFenceArrayCreate(b.platform, members.map(dmaFenceGet), 50, 1);
    if (!array.ok) throw new Error('no memory');
    const [one, two, three] = members as [DmaFence, DmaFence, DmaFence];
    dmaFenceSetError(two, -Errno.EIO);
    dmaFenceSignal(two);
    dmaFenceAddCallback(array.value, new DmaFenceCb(), () => {});
    dmaFenceSetError(one, -Errno.EINVAL);
    dmaFenceSignal(one);
    expect(dmaFenceGetStatus(array.value)).toBe(0);
    dmaFenceSignal(three);
    expect(dmaFenceGetStatus(array.value)).toBe(-Errno.EIO);
    dmaFencePut(array.value);
    expect(members.map(({ refs }) => refs)).toEqual([1, 1, 1]);
  });

  it('of nothing are a violation, and done as soon as somebody asks to be told', () => {
    const b = bench();
    const array = dmaFenceArrayCreate(b.platform, [], 50, 1);
    if (!array.ok) throw new Error('no memory');
    expect([b.rules(), dmaFenceGetStatus(array.value)]).toEqual([['fence-array-empty'], 0]);
    expect(dmaFenceAddCallback(array.value, new DmaFenceCb(), () => {})).toBe(0);
    expect(dmaFenceGetStatus(array.value)).toBe(1);
  });

  it('that signal with any member do so once', () => {
    const b = bench();
    const members = [fenceOf(b), fenceOf(b)];
    const array = dmaFenceArrayCreate(b.platform, members.map(dmaFenceGet), 50, 1, true);
    if (!array.ok) throw new Error('no memory');
    let told = 0;
    dmaFenceAddCallback(array.value, new DmaFenceCb(), () => {
      told += 1;
    });
    for (const member of members) dmaFenceSignal(member);
    expect([told, array.value.signaled, array.value.refs]).toEqual([1, true, 1]);
  });
});

describe('a chain', () => {
  const nodes = (b: Bench, ...seqnos: number[]): { fences: DmaFence[]; chain: DmaFenceChain[] } => {
    const fences = seqnos.map(() => fenceOf(b));
    const chain: DmaFenceChain[] = [];
    for (const [at, seqno] of seqnos.entries()) {
      const prev = chain.at(-1) ?? null;
      chain.push(dmaFenceChainInit(dmaFenceGet(prev), dmaFenceGet(fences[at] as DmaFence), seqno));
    }
    return { fences, chain };
  };
  const found = (head: DmaFence, seqno: number): DmaFence | null | number => {
    const outcome = dmaFenceChainFindSeqno(dmaFenceGet(head), seqno);
    return outcome.ok ? outcome.value : -outcome.errno;
  };

  it('is searched for the earliest node that is still needed', () => {
    const b = bench();
    const { fences, chain } = nodes(b, 2, 4, 6);
    const [first, second, third] = chain as [DmaFenceChain, DmaFenceChain, DmaFenceChain];
    expect([1, 2, 3, 4, 5, 6].map((n) => found(third, n))).toEqual([
      first,
      first,
      second,
      second,
      third,
      third,
    ]);
    expect([found(third, 7), found(fences[0] as DmaFence, 1)]).toEqual([-Errno.EINVAL, -Errno.EINVAL]);
    expect(found(third, 0)).toBe(third);
    dmaFenceSignal(fences[0] as DmaFence);
    expect(found(third, 2)).toBe(null);
    dmaFenceSignal(fences[1] as DmaFence);
    expect(found(third, 4)).toBe(null);
    expect(third.prev).toBe(null);
  });

  it('starts a context of its own when the numbers do not rise, and is not searched past it', () => {
    const b = bench();
    const { chain } = nodes(b, 5, 5, 6);
    const [first, second, third] = chain as [DmaFenceChain, DmaFenceChain, DmaFenceChain];
    expect([second.context === first.context, second.seqno, second.prevSeqno]).toEqual([false, 5, 0]);
    expect([third.context === second.context, third.prevSeqno]).toEqual([true, 5]);
    expect(found(third, 1)).toBe(second);
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
