// Steps of scripts about reservations; `r` is the reservation unless a line names another.
// Simplified: a list is replaced under a walk by reserving more slots than it has.

import {
  DmaResvIter,
  type DmaResvUsage,
  dmaFencePut,
  dmaResvAddFence,
  dmaResvCopyFences,
  dmaResvForEachFence,
  dmaResvGetFences,
  dmaResvGetSingleton,
  dmaResvHeld,
  dmaResvIterBegin,
  dmaResvIterEnd,
  dmaResvIterFirstUnlocked,
  dmaResvIterNextUnlocked,
  dmaResvLock,
  dmaResvReplaceFences,
  dmaResvReserveFences,
  dmaResvTestSignaled,
  dmaResvTrylock,
  dmaResvUnlock,
  dmaResvUsageRw,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
  DmaResvUsage as Usage,
} from '../../src/index.ts';
import type { FenceBench } from './fence-bench.ts';
import { fenceSteps } from './fence-steps.ts';
import type { Steps } from './step-script.ts';

/** Usages as rows write them, the strongest first. */
export const usageNames = ['kernel', 'write', 'read', 'bookkeep'] as const;
const usages: Readonly<Record<string, DmaResvUsage>> = {
  kernel: Usage.KERNEL,
  write: Usage.WRITE,
  read: Usage.READ,
  bookkeep: Usage.BOOKKEEP,
};

/** The usage of a word. */
export function usageOf(word: string | undefined): DmaResvUsage {
  const usage = usages[word ?? ''];
  if (usage === undefined) throw new Error(`no usage ${word}`);
  return usage;
}
const spellUsage = (usage: DmaResvUsage): string => usageNames[usage];

function lockSteps(b: FenceBench): Steps {
  return {
    lock: ([name = 'r']) => dmaResvTrylock(b.resv(name)),
    unlock: ([name = 'r']) => dmaResvUnlock(b.resv(name)),
    'wait-lock': ([name = 'r']) =>
      b.wait(
        (function* locker() {
          yield* dmaResvLock(b.resv(name));
          dmaResvUnlock(b.resv(name));
          return 0;
        })(),
        false,
      ),
    held: ([name = 'r']) => dmaResvHeld(b.resv(name)),
    'usage-rw': ([what]) => spellUsage(dmaResvUsageRw(what === 'write')),
  };
}

function slotSteps(b: FenceBench): Steps {
  return {
    reserve: ([count, name = 'r']) => dmaResvReserveFences(b.resv(name), Number(count)),
    'no-memory': () => {
      b.platform.allocate = () => false;
    },
    'add-to': ([fence = '', usage, name = 'r']) =>
      dmaResvAddFence(b.resv(name), b.fence(fence), usageOf(usage)),
    'add-unreserved': ([fence = '', usage, name = 'r']) => {
      try {
        dmaResvAddFence(b.resv(name), b.fence(fence), usageOf(usage));
      } catch {
        return 'thrown';
      }
      return 'added';
    },
    replace: ([context, fence = '', usage, name = 'r']) =>
      dmaResvReplaceFences(b.resv(name), Number(context), b.fence(fence), usageOf(usage)),
    capacity: ([name = 'r']) => b.resv(name).list?.capacity ?? 0,
    copy: ([from = '', to = '']) => dmaResvCopyFences(b.resv(to), b.resv(from)),
    entries: ([usage, name = 'r']) =>
      [...dmaResvForEachFence(b.resv(name), usageOf(usage))].map(
        (entry) => `${b.spell(entry.fence)}:${spellUsage(entry.usage)}`,
      ),
  };
}

function walkSteps(b: FenceBench): Steps {
  let walk = new DmaResvIter(b.resv('r'), Usage.KERNEL);
  return {
    'iter-begin': ([usage, name = 'r']) => {
      walk = dmaResvIterBegin(b.resv(name), usageOf(usage));
    },
    'iter-first': () => dmaResvIterFirstUnlocked(walk),
    'iter-next': () => dmaResvIterNextUnlocked(walk),
    'iter-usage': () => spellUsage(walk.fenceUsage),
    'iter-restarted': () => walk.isRestarted,
    'iter-end': () => dmaResvIterEnd(walk),
  };
}

function querySteps(b: FenceBench): Steps {
  return {
    test: ([usage, name = 'r']) => dmaResvTestSignaled(b.resv(name), usageOf(usage)),
    'get-fences': ([usage, name = 'r']) => {
      const got = dmaResvGetFences(b.resv(name), usageOf(usage));
      for (const fence of got.ok ? got.value : []) dmaFencePut(fence);
      return got;
    },
    singleton: ([as = '', usage, name = 'r']) => {
      const got = dmaResvGetSingleton(b.resv(name), usageOf(usage));
      if (!got.ok || got.value === null) return got;
      if (!got.value.isContainer) dmaFencePut(got.value);
      else b.fences.set(as, got.value);
      return got;
    },
    'resv-wait': ([usage, ms, ...words]) =>
      b.wait(
        dmaResvWaitTimeout(
          b.resv('r'),
          usageOf(usage),
          words.includes('interruptible'),
          ms === 'ever' ? MAX_SCHEDULE_TIMEOUT : Number(ms),
        ),
        words.includes('hit'),
      ),
  };
}

/** Everything about reservations and the fences in them. */
export const resvSteps = (b: FenceBench): Steps => ({
  ...fenceSteps(b),
  ...lockSteps(b),
  ...slotSteps(b),
  ...walkSteps(b),
  ...querySteps(b),
});
