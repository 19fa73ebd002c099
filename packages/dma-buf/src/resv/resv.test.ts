// Reservations: slots, replacement by later fences, walks that start again, and waits for the right usages.
import { fc, test } from '@fast-check/vitest';
import { Clock, Scheduler } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFenceInit, dmaFenceSignal } from '../fence/dma-fence.ts';
import {
  type DmaResv,
  dmaResvFini,
  dmaResvInit,
  dmaResvLock,
  dmaResvTrylock,
  dmaResvUnlock,
} from './dma-resv.ts';
import { dmaResvAddFence, dmaResvReplaceFences, dmaResvReserveFences } from './resv-slots.ts';
import { dmaResvCopyFences, dmaResvGetFences, dmaResvGetSingleton } from './resv-snapshot.ts';
import { DmaResvUsage } from './resv-usage.ts';
import { dmaResvTestSignaled, dmaResvWaitTimeout } from './resv-wait.ts';

const { KERNEL, WRITE, READ, BOOKKEEP } = DmaResvUsage;

function bench(): { platform: DmaBufPlatform; resv: DmaResv; clock: Clock; rules: () => unknown[] } {
  const clock = new Clock();
  const platform = new DmaBufPlatform({ scheduler: new Scheduler({ clock }) });
  platform.log.enabled = true;
  const rules = (): unknown[] => platform.log.events.map((event) => event['rule']);
  return { platform, resv: dmaResvInit(platform), clock, rules };
}

const fence = (platform: DmaBufPlatform, context: number, seqno = 1): DmaFence =>
  dmaFenceInit(platform, {}, { context, seqno });

function add(resv: DmaResv, added: DmaFence, usage: DmaResvUsage): void {
  expect(dmaResvTrylock(resv)).toBe(true);
  expect(dmaResvReserveFences(resv, 1)).toBe(0);
  dmaResvAddFence(resv, added, usage);
  dmaResvUnlock(resv);
}

describe('slots', () => {
  it('are five after the first reservation, as the slab gives them', () => {
    const { platform, resv } = bench();
    dmaResvTrylock(resv);
    dmaResvReserveFences(resv, 1);
    for (let n = 0; n < 5; n += 1) dmaResvAddFence(resv, fence(platform, 10 + n), READ);
    expect(() => dmaResvAddFence(resv, fence(platform, 99), READ)).toThrow('resv-no-slot');
  });

  it('are five again after an unlock left none, and twice as many when they run out', () => {
    const { platform, resv } = bench();
    const { BOOKKEEP: usage } = DmaResvUsage;
    for (let round = 0; round < 2; round += 1) {
      dmaResvTrylock(resv);
      expect(dmaResvReserveFences(resv, 1)).toBe(0);
      expect(resv.list?.capacity).toBe(5);
      if (round === 0) dmaResvUnlock(resv);
    }
    for (let n = 0; n < 5; n += 1) dmaResvAddFence(resv, fence(platform, 10 + n), usage);
    dmaResvReserveFences(resv, 1);
    // Ten slots and the header are 104 bytes; the slab gives 128.
    expect(resv.list?.capacity).toBe(13);
  });

  it.each([
    [1, 5],
    [5, 9],
    [9, 21],
    [17, 61],
    [1000, 2045],
    [1021, 2045],
    [1500, 4093],
  ])('for %i fences are %i, as large allocations are powers of two as well', (wanted, slots) => {
    const { resv } = bench();
    dmaResvTrylock(resv);
    dmaResvReserveFences(resv, wanted);
    expect(resv.list?.capacity).toBe(slots);
  });

  it('that were not used are gone after an unlock', () => {
    const { platform, resv } = bench();
    add(resv, fence(platform, 1), READ);
    dmaResvTrylock(resv);
    expect(() => dmaResvAddFence(resv, fence(platform, 2), READ)).toThrow('resv-no-slot');
  });

  it('need the lock, at least one, and memory', () => {
    const { platform, resv, rules } = bench();
    expect(dmaResvReserveFences(resv, 0)).toBe(-Errno.EINVAL);
    expect(rules()).toEqual(['resv-not-held', 'resv-reserve-none']);
    platform.allocate = () => false;
    dmaResvTrylock(resv);
    expect(dmaResvReserveFences(resv, 1)).toBe(-Errno.ENOMEM);
  });

  it('are shared by fences of one context as long as the usage does not get weaker', () => {
    const { platform, resv } = bench();
    const shown = (): string[] => (resv.list?.entries ?? []).map((e) => `${e.fence.seqno}/${e.usage}`);
    add(resv, fence(platform, 1, 1), BOOKKEEP);
    add(resv, fence(platform, 1, 2), READ);
    expect(shown()).toEqual(['2/2']);
    add(resv, fence(platform, 1, 3), BOOKKEEP);
    expect(shown()).toEqual(['2/2', '3/3']);
    dmaResvTrylock(resv);
    dmaResvReplaceFences(resv, 1, fence(platform, 5, 9), KERNEL);
    dmaResvUnlock(resv);
    expect(shown()).toEqual(['9/0', '9/0']);
  });
});

describe('a slot', () => {
  const shown = ({ list }: DmaResv): number[][] =>
    (list?.entries ?? []).map(({ fence: { context, seqno }, usage }) => [context, seqno, usage]);

  it('goes to a later fence of its context with the same usage, never to an earlier one', () => {
    const { platform, resv } = bench();
    add(resv, fence(platform, 1, 5), READ);
    add(resv, fence(platform, 1, 6), READ);
    expect(shown(resv)).toEqual([[1, 6, READ]]);
    add(resv, fence(platform, 1, 4), READ);
    expect(shown(resv)).toEqual([
      [1, 6, READ],
      [1, 4, READ],
    ]);
  });

  it('of a fence that signaled goes to the next one, whatever context and usage', () => {
    const { platform, resv } = bench();
    const [gone, stays] = [fence(platform, 1), fence(platform, 2)];
    dmaResvTrylock(resv);
    dmaResvReserveFences(resv, 2);
    dmaResvAddFence(resv, gone, KERNEL);
    dmaResvAddFence(resv, stays, WRITE);
    dmaFenceSignal(gone);
    dmaResvAddFence(resv, fence(platform, 3), BOOKKEEP);
    dmaResvUnlock(resv);
    expect(shown(resv)).toEqual([
      [3, 1, BOOKKEEP],
      [2, 1, WRITE],
    ]);
    expect([gone.refs, stays.refs]).toEqual([1, 2]);
  });
});

describe('a copy', () => {
  it('of nothing is no list at all; of fences it has the slots of the source', () => {
    const { platform, resv } = bench();
    const copy = dmaResvInit(platform);
    add(copy, fence(platform, 1), READ);
    dmaResvTrylock(copy);
    expect(dmaResvCopyFences(copy, resv)).toBe(0);
    expect(copy.list).toBe(null);
    const signaled = fence(platform, 2);
    add(resv, signaled, READ);
    add(resv, fence(platform, 3), BOOKKEEP);
    dmaFenceSignal(signaled);
    expect(dmaResvCopyFences(copy, resv)).toBe(0);
    expect(copy.list?.entries.map((e) => [e.fence.context, e.usage])).toEqual([[3, BOOKKEEP]]);
    expect(copy.list?.capacity).toBe(5);
  });

  it('and a snapshot without memory leave references and the list as they were', () => {
    const { platform, resv } = bench();
    const [one, two] = [fence(platform, 1), fence(platform, 2)];
    add(resv, one, READ);
    const copy = dmaResvInit(platform);
    add(copy, two, READ);
    platform.allocate = () => false;
    dmaResvTrylock(copy);
    expect(dmaResvCopyFences(copy, resv)).toBe(-Errno.ENOMEM);
    expect(dmaResvGetFences(resv, READ)).toEqual({ ok: false, errno: Errno.ENOMEM });
    expect(copy.list?.entries.map((e) => e.fence)).toEqual([two]);
    expect([one.refs, two.refs]).toEqual([2, 2]);
  });
});

describe('waiting', () => {
  it.each([
    [KERNEL, [KERNEL]],
    [WRITE, [KERNEL, WRITE]],
    [READ, [KERNEL, WRITE, READ]],
    [BOOKKEEP, [KERNEL, WRITE, READ, BOOKKEEP]],
  ])('for usage %i sees the usages %j', (asked, seen) => {
    const { platform, resv } = bench();
    const fences = [KERNEL, WRITE, READ, BOOKKEEP].map((usage) => {
      const one = fence(platform, 10 + usage);
      add(resv, one, usage);
      return one;
    });
    for (const usage of seen) {
      expect(dmaResvTestSignaled(resv, asked)).toBe(false);
      dmaFenceSignal(fences[usage] as DmaFence);
    }
    expect(dmaResvTestSignaled(resv, asked)).toBe(true);
    expect(platform.scheduler.runTask('wait', dmaResvWaitTimeout(resv, asked, false, 0))).toBe(1);
  });

  it('uses up its time from fence to fence', () => {
    const { platform, resv, clock } = bench();
    const [a, b] = [fence(platform, 1), fence(platform, 2)];
    add(resv, a, WRITE);
    add(resv, b, WRITE);
    clock.after(30, () => dmaFenceSignal(a));
    clock.after(50, () => dmaFenceSignal(b));
    expect(platform.scheduler.runTask('wait', dmaResvWaitTimeout(resv, WRITE, false, 100))).toBe(50);
  });

  it('starts again when the list is replaced meanwhile, so that a new fence is not missed', () => {
    const { platform, resv } = bench();
    const [a, b] = [fence(platform, 1), fence(platform, 2)];
    add(resv, a, WRITE);
    const task = platform.scheduler.spawn('wait', dmaResvWaitTimeout(resv, WRITE, false, Infinity));
    platform.scheduler.run();
    add(resv, b, WRITE);
    dmaFenceSignal(a);
    platform.scheduler.run();
    expect(task.done).toBe(false);
    dmaFenceSignal(b);
    platform.scheduler.run();
    expect(task.result).toBe(Infinity);
  });
});

test.prop([
  fc.array(fc.record({ usage: fc.constantFrom(KERNEL, WRITE, READ, BOOKKEEP), done: fc.boolean() })),
])('snapshots hold the unsignaled fences of their usages, and every reference comes back', (wanted) => {
  const { platform, resv } = bench();
  const fences = wanted.map(({ usage, done }, at) => {
    const one = fence(platform, 100 + at);
    add(resv, one, usage);
    return { one, usage, done };
  });
  for (const { one, done } of fences) if (done) dmaFenceSignal(one);
  const copy = dmaResvInit(platform);
  expect(platform.scheduler.runTask('lock', dmaResvLock(copy))).toBe(undefined);
  for (const usage of [KERNEL, WRITE, READ, BOOKKEEP]) {
    const got = dmaResvGetFences(resv, usage);
    const expected = fences.filter((f) => !f.done && f.usage <= usage).map((f) => f.one);
    expect(got.ok && got.value).toEqual(expected);
    const single = dmaResvGetSingleton(resv, usage);
    if (expected.length <= 1) expect(single.ok && single.value).toBe(expected[0] ?? null);
    if (got.ok) for (const one of got.value) one.refs -= 1;
    if (single.ok && single.value !== null) dmaFenceSignalAndDrop(single.value, expected);
  }
  expect(dmaResvCopyFences(copy, resv)).toBe(0);
  dmaResvFini(copy);
  dmaResvFini(resv);
  expect(fences.map(({ one }) => one.refs)).toEqual(fences.map(() => 1));
});

function dmaFenceSignalAndDrop(single: DmaFence, members: readonly DmaFence[]): void {
  if (members.length === 1) single.refs -= 1;
  else for (const member of members) member.refs -= 1;
}
