// Steps of scripts about single fences, arrays, chains and merges.
// Simplified: what a call takes over is taken for it before, so that every name keeps its reference to the end.

import {
  DmaFenceCb,
  DmaFenceChain,
  dmaFenceAddCallback,
  dmaFenceArrayCreate,
  dmaFenceChainFindSeqno,
  dmaFenceChainInit,
  dmaFenceChainWalk,
  dmaFenceCheckAndSignal,
  dmaFenceEnableSwSignaling,
  dmaFenceGet,
  dmaFenceGetStatus,
  dmaFenceGetStub,
  dmaFenceIsContainer,
  dmaFenceIsLater,
  dmaFenceIsLaterOrSame,
  dmaFenceIsSignaled,
  dmaFencePut,
  dmaFenceRemoveCallback,
  dmaFenceSetError,
  dmaFenceSignal,
  dmaFenceTestSignaledFlag,
  dmaFenceUnwrapForEach,
  dmaFenceUnwrapMerge,
  dmaFenceWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '../../src/index.ts';
import type { FenceBench } from './fence-bench.ts';
import type { Steps } from './step-script.ts';

/** Steps of one fence. */
export function singleFenceSteps(b: FenceBench): Steps {
  const at = (name: string | undefined) => b.fence(name ?? '');
  return {
    fence: ([name = '', place = '0#0', ...words]) => b.make(name, place, ...words),
    stub: ([name = '']) => {
      const stub = dmaFenceGetStub(b.platform);
      b.shared.add(stub);
      b.fences.set(name, stub);
    },
    signal: ([name]) => dmaFenceSignal(at(name)),
    'check-and-signal': ([name]) => dmaFenceCheckAndSignal(at(name)),
    'is-signaled': ([name]) => dmaFenceIsSignaled(at(name)),
    flag: ([name]) => dmaFenceTestSignaledFlag(at(name)),
    enable: ([name]) => dmaFenceEnableSwSignaling(at(name)),
    ops: ([name]) => (at(name).ops === null ? null : 'set'),
    status: ([name]) => dmaFenceGetStatus(at(name)),
    'set-error': ([name, error]) => dmaFenceSetError(at(name), Number(error)),
    later: ([one, other]) => dmaFenceIsLater(at(one), at(other)),
    'later-or-same': ([one, other]) => dmaFenceIsLaterOrSame(at(one), at(other)),
    wait: ([name, ms, ...words]) =>
      b.wait(
        dmaFenceWaitTimeout(
          at(name),
          words.includes('interruptible'),
          ms === 'ever' ? MAX_SCHEDULE_TIMEOUT : Number(ms),
        ),
        words.includes('hit'),
      ),
    after: ([ms, name]) => {
      b.clock.after(Number(ms), () => dmaFenceSignal(at(name)));
    },
    advance: ([ms]) => b.clock.advanceMs(Number(ms)),
    timestamp: ([name]) => at(name).timestampMs,
    now: () => b.clock.nowMs,
    warned: () => b.warned(),
  };
}

/** Steps of callbacks. */
export function callbackSteps(b: FenceBench): Steps {
  const callbacks = new Map<string, DmaFenceCb>();
  const callback = (name: string): DmaFenceCb => {
    const cb = callbacks.get(name) ?? new DmaFenceCb();
    callbacks.set(name, cb);
    return cb;
  };
  return {
    add: ([fence = '', name = '']) =>
      dmaFenceAddCallback(fence === '-' ? null : b.fence(fence), callback(name), () => b.called.push(name)),
    'add-nothing': ([fence = '', name = '']) => dmaFenceAddCallback(b.fence(fence), callback(name), null),
    remove: ([fence = '', name = '']) => dmaFenceRemoveCallback(b.fence(fence), callback(name)),
    called: () => b.called,
    'drop-last': ([name = '']) => {
      const fence = b.fence(name);
      b.fences.delete(name);
      dmaFencePut(fence);
    },
  };
}

/** Steps of fences made of others. */
export function containerSteps(b: FenceBench): Steps {
  const at = (name: string | undefined) => b.fence(name ?? '');
  return {
    array: ([name = '', members = '', any]) => {
      const context = b.platform.takeContexts(1);
      const made = dmaFenceArrayCreate(b.platform, b.taken(members), context, 1, any === 'any');
      if (made.ok) b.fences.set(name, made.value);
    },
    chain: ([name = '', prev = '-', fence, seqno]) => {
      const before = prev === '-' ? null : dmaFenceGet(at(prev));
      b.fences.set(name, dmaFenceChainInit(before, dmaFenceGet(at(fence)), Number(seqno)));
    },
    'is-container': ([name]) => dmaFenceIsContainer(at(name)),
    seqno: ([name]) => at(name).seqno,
    'prev-seqno': ([name]) => {
      const node = at(name);
      return node instanceof DmaFenceChain ? node.prevSeqno : 'no chain';
    },
    'same-context': ([one, other]) => at(one).context === at(other).context,
    find: ([name, seqno]) => {
      const head = dmaFenceGet(at(name));
      const found = dmaFenceChainFindSeqno(head, Number(seqno));
      dmaFencePut(found.ok ? found.value : head);
      return found;
    },
    walk: ([name]) => {
      const next = dmaFenceChainWalk(dmaFenceGet(at(name)));
      dmaFencePut(next);
      return next;
    },
    unwrap: ([name]) => [...dmaFenceUnwrapForEach(at(name))],
    merge: ([name = '', parts = '']) => {
      const merged = dmaFenceUnwrapMerge(
        b.platform,
        parts.split(',').map((part) => at(part)),
      );
      if (!merged.ok) return merged;
      const known = [...b.fences].find(([, fence]) => fence === merged.value);
      if (known === undefined) b.fences.set(name, merged.value);
      else dmaFencePut(merged.value);
      return known?.[0] ?? (merged.value.isContainer ? 'array' : 'stub');
    },
  };
}

/** Everything about fences. */
export const fenceSteps = (b: FenceBench): Steps => ({
  ...singleFenceSteps(b),
  ...callbackSteps(b),
  ...containerSteps(b),
});
