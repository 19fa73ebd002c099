// DmaFenceChain: the fences of a timeline, each node remembering the one before; walking it drops what has signaled.
// Source followed: drivers/dma-buf/dma-fence-chain.c.
// Simplified: the deferred work that signals a node runs at once, since nothing here holds a spinlock.

import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import {
  DmaFence,
  type DmaFenceOps,
  dmaFenceGet,
  dmaFenceIsSignaled,
  dmaFencePut,
  dmaFenceSignal,
  fenceName,
} from './dma-fence.ts';
import { DmaFenceCb, dmaFenceAddCallback } from './fence-callback.ts';

/**
 * A node of a chain.
 * @kernel dma_fence_chain
 * @public
 */
export class DmaFenceChain extends DmaFence {
  /** The node or fence before; null at the end. The node holds its reference. */
  prev: DmaFence | null;
  /** Sequence number of the node before on the same context; 0 when there is none. */
  readonly prevSeqno: number;
  /** What the node adds to the chain. The node holds its reference. */
  readonly fence: DmaFence;

  override get isContainer(): boolean {
    return true;
  }

  /** @internal */
  constructor(prev: DmaFence | null, fence: DmaFence, place: ChainPlace) {
    super(fence.platform, chainOps, { context: place.context, seqno: place.seqno, seqno64: true });
    this.prev = prev;
    this.prevSeqno = place.prevSeqno;
    this.fence = fence;
  }
}

/**
 * Where a node stands.
 * @internal
 */
export interface ChainPlace {
  readonly context: number;
  readonly seqno: number;
  readonly prevSeqno: number;
}

/**
 * A node over `fence` after `prev`; takes over both references. A chain as `fence` is a violation `fence-chain-nested`. It keeps the context of `prev` when `seqno`
 * comes after it, else it starts one of its own with the greater number.
 * @kernel dma_fence_chain_init
 * @public
 */
export function dmaFenceChainInit(prev: DmaFence | null, fence: DmaFence, seqno: number): DmaFenceChain {
  if (fence instanceof DmaFenceChain) {
    warnViolation(fence.platform.log, 'fence-chain-nested', { fence: fenceName(fence) });
  }
  const before = prev instanceof DmaFenceChain ? prev : null;
  if (before !== null && seqno > before.seqno) {
    return new DmaFenceChain(prev, fence, { context: before.context, seqno, prevSeqno: before.seqno });
  }
  const context = fence.platform.takeContexts(1);
  const place = { context, seqno: Math.max(before?.seqno ?? 0, seqno), prevSeqno: 0 };
  return new DmaFenceChain(prev, fence, place);
}

/** What a node adds to the chain; a plain fence is itself. @internal */
export function containedFence(fence: DmaFence): DmaFence {
  return fence instanceof DmaFenceChain ? fence.fence : fence;
}

/**
 * The next node before `fence`, with a reference, in exchange for the one of `fence`; null at the end. Nodes whose fence
 * has signaled are cut out on the way.
 * @kernel dma_fence_chain_walk
 * @public
 */
export function dmaFenceChainWalk(fence: DmaFence): DmaFence | null {
  const found = fence instanceof DmaFenceChain ? firstUnsignaledBefore(fence) : null;
  dmaFenceGet(found);
  dmaFencePut(fence);
  return found;
}

function firstUnsignaledBefore(chain: DmaFenceChain): DmaFence | null {
  for (let prev = chain.prev; prev !== null; prev = chain.prev) {
    if (!dmaFenceIsSignaled(containedFence(prev))) return prev;
    chain.prev = prev instanceof DmaFenceChain ? dmaFenceGet(prev.prev) : null;
    dmaFencePut(prev);
  }
  return null;
}

/**
 * Follows `head` to the earliest node that must signal for `seqno` to be reached. Takes over the reference of `head`;
 * the value has one. Null: reached already. -EINVAL when `head` is no chain or `seqno` is not on it yet: then the
 * reference stays the caller's. `seqno` 0 gives `head` back.
 * @kernel dma_fence_chain_find_seqno
 * @public
 */
export function dmaFenceChainFindSeqno(head: DmaFence | null, seqno: number): Outcome<DmaFence | null> {
  if (seqno === 0) return success(head);
  if (!(head instanceof DmaFenceChain) || head.seqno < seqno) return failure(Errno.EINVAL);
  let at: DmaFence | null = dmaFenceGet(head);
  while (at !== null) {
    if (at.context !== head.context) break;
    if (at instanceof DmaFenceChain && at.prevSeqno < seqno) break;
    at = dmaFenceChainWalk(at);
  }
  dmaFencePut(head);
  return success(at);
}

const chainOps: DmaFenceOps = {
  name: 'fence chain',
  enableSignaling: (fence) => armNext(fence as DmaFenceChain),
  signaled: (fence) => nextUnsignaled(fence as DmaFenceChain) === null,
  release: (fence) => releaseChain(fence as DmaFenceChain),
};

/** The first node from `head` on whose fence has not signaled, without a reference; null when all have. */
function nextUnsignaled(head: DmaFenceChain): DmaFence | null {
  if (!dmaFenceIsSignaled(head.fence)) return head;
  return firstUnsignaledBefore(head);
}

/** False when every fence of the chain has signaled. */
function armNext(head: DmaFenceChain): boolean {
  for (let node = nextUnsignaled(head); node !== null; node = nextUnsignaled(head)) {
    // The callback holds a reference of the node, so that it outlives the signal.
    dmaFenceGet(head);
    if (dmaFenceAddCallback(containedFence(node), new DmaFenceCb(), memberSignaled(head)) === 0) return true;
    dmaFencePut(head);
  }
  return false;
}

const memberSignaled = (head: DmaFenceChain) => (): void => {
  if (!armNext(head)) dmaFenceSignal(head);
  dmaFencePut(head);
};

/** Node by node, so that a long chain does not need a deep stack. */
function releaseChain(chain: DmaFenceChain): void {
  let prev = chain.prev;
  chain.prev = null;
  while (prev instanceof DmaFenceChain && prev.refs === 1) {
    const before: DmaFence | null = prev.prev;
    prev.prev = null;
    dmaFencePut(prev);
    prev = before;
  }
  dmaFencePut(prev);
  dmaFencePut(chain.fence);
}
