// Unwrapping: the plain fences inside chains and arrays, and merging several fences into one.
// Source followed: drivers/dma-buf/dma-fence-unwrap.c and include/linux/dma-fence-unwrap.h.
// Simplified: none.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFenceGet, dmaFenceIsSignaled, dmaFencePut } from './dma-fence.ts';
import { DmaFenceArray, dmaFenceArrayCreate } from './fence-array.ts';
import { containedFence, dmaFenceChainWalk } from './fence-chain.ts';
import { dmaFenceIsLater } from './fence-order.ts';
import { dmaFenceAllocatePrivateStub } from './fence-stub.ts';

/**
 * The plain fences of `head` one after the other, without references: node by node along a chain, member by member of
 * an array. Nodes that have signaled are cut out of the chain on the way.
 * @kernel dma_fence_unwrap_for_each
 * @public
 */
export function* dmaFenceUnwrapForEach(head: DmaFence | null): Generator<DmaFence, void, void> {
  let node: DmaFence | null = dmaFenceGet(head);
  try {
    for (; node !== null; node = dmaFenceChainWalk(node)) {
      const held = containedFence(node);
      if (held instanceof DmaFenceArray) yield* held.fences;
      else yield held;
    }
  } finally {
    dmaFencePut(node);
  }
}

/**
 * One fence that signals when all of `fences` have: a signaled stub when nothing is left to wait for, the one plain
 * fence that is left, or an array with the latest fence of each context, contexts ascending. The value has a reference.
 * -ENOMEM when there is no memory.
 * @kernel dma_fence_unwrap_merge
 * @public
 */
export function dmaFenceUnwrapMerge(
  platform: DmaBufPlatform,
  fences: readonly DmaFence[],
): Outcome<DmaFence> {
  const unsignaled: DmaFence[] = [];
  let timestampMs = 0;
  for (const fence of fences) {
    for (const leaf of dmaFenceUnwrapForEach(fence)) {
      if (dmaFenceIsSignaled(leaf)) timestampMs = Math.max(timestampMs, leaf.timestampMs ?? 0);
      else unsignaled.push(dmaFenceGet(leaf));
    }
  }
  return merged(platform, unsignaled, timestampMs);
}

/** Uses up the references of `unsignaled`. */
function merged(platform: DmaBufPlatform, unsignaled: DmaFence[], timestampMs: number): Outcome<DmaFence> {
  if (unsignaled.length === 0) {
    const stub = dmaFenceAllocatePrivateStub(platform, timestampMs);
    return stub === null ? failure(Errno.ENOMEM) : success(stub);
  }
  if (unsignaled.length > 1 && !platform.allocate(unsignaled.length * 8)) {
    unsignaled.forEach(dmaFencePut);
    return failure(Errno.ENOMEM);
  }
  const latest = dmaFenceDedupArray(unsignaled);
  const [only] = latest;
  if (latest.length === 1 && only !== undefined) return success(only);
  const array = dmaFenceArrayCreate(platform, latest, platform.takeContexts(1), 1);
  if (!array.ok) latest.forEach(dmaFencePut);
  return array;
}

/**
 * The latest fence of each context, contexts ascending. Uses up the references of those it leaves out.
 * @kernel dma_fence_dedup_array
 * @public
 */
export function dmaFenceDedupArray(fences: readonly DmaFence[]): DmaFence[] {
  const sorted = [...fences].sort(byContextThenLatest);
  return sorted.filter((fence, index) => {
    const repeated = index > 0 && sorted[index - 1]?.context === fence.context;
    if (repeated) dmaFencePut(fence);
    return !repeated;
  });
}

function byContextThenLatest(a: DmaFence, b: DmaFence): number {
  if (a.context !== b.context) return a.context - b.context;
  if (dmaFenceIsLater(b, a)) return 1;
  return dmaFenceIsLater(a, b) ? -1 : 0;
}
