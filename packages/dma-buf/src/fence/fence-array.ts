// DmaFenceArray: a fence that signals when all its members have, or the first of them.
// Source followed: drivers/dma-buf/dma-fence-array.c.
// Simplified: the deferred work that signals the array runs at once, since nothing here holds a spinlock.

import { Errno, failure, type Outcome, success, warnViolation } from '@sgfree/mm';
import type { DmaBufPlatform } from '../dma-buf-platform.ts';
import {
  DmaFence,
  type DmaFenceOps,
  dmaFenceGet,
  dmaFenceIsContainer,
  dmaFenceIsSignaled,
  dmaFencePut,
  dmaFenceSignal,
} from './dma-fence.ts';
import { DmaFenceCb, dmaFenceAddCallback } from './fence-callback.ts';

const ARRAY_BYTES = 120;
const CALLBACK_BYTES = 40;

/**
 * A fence over several.
 * @kernel dma_fence_array
 * @public
 */
export class DmaFenceArray extends DmaFence {
  /** The members; the array holds their references. */
  readonly fences: readonly DmaFence[];
  /** Signals still wanted. */
  numPending: number;
  /** The first error of a member that was seen; null while there was none. */
  firstError: number | null = null;

  override get isContainer(): boolean {
    return true;
  }

  /** @internal */
  constructor(
    platform: DmaBufPlatform,
    fences: readonly DmaFence[],
    identity: { readonly context: number; readonly seqno: number },
    signalOnAny: boolean,
  ) {
    super(platform, arrayOps, identity);
    this.fences = fences;
    this.numPending = signalOnAny ? 1 : fences.length;
  }
}

/**
 * An array over `fences` (at least one, no containers), whose references it takes over. -ENOMEM: they stay the caller's.
 * @kernel dma_fence_array_create
 * @public
 */
export function dmaFenceArrayCreate(
  platform: DmaBufPlatform,
  fences: readonly DmaFence[],
  context: number,
  seqno: number,
  signalOnAny = false,
): Outcome<DmaFenceArray> {
  if (fences.length === 0) warnViolation(platform.log, 'fence-array-empty', {});
  if (!platform.allocate(ARRAY_BYTES + fences.length * CALLBACK_BYTES)) return failure(Errno.ENOMEM);
  if (fences.some(dmaFenceIsContainer)) warnViolation(platform.log, 'fence-array-nested', {});
  return success(new DmaFenceArray(platform, fences, { context, seqno }, signalOnAny));
}

const arrayOps: DmaFenceOps = {
  name: 'fence array',
  enableSignaling: (fence) => armMembers(fence as DmaFenceArray),
  signaled: (fence) => membersSignaled(fence as DmaFenceArray),
  release: (fence) => {
    for (const member of (fence as DmaFenceArray).fences) dmaFencePut(member);
  },
};

/** False when enough members have signaled already. */
function armMembers(array: DmaFenceArray): boolean {
  for (const member of array.fences) {
    // The callback holds a reference of the array, so that it outlives its members' signals.
    dmaFenceGet(array);
    if (dmaFenceAddCallback(member, new DmaFenceCb(), memberSignaled(array)) === 0) continue;
    noteError(array, member.error);
    dmaFencePut(array);
    array.numPending -= 1;
    if (array.numPending === 0) {
      takeError(array);
      return false;
    }
  }
  return true;
}

const memberSignaled =
  (array: DmaFenceArray) =>
  (member: DmaFence): void => {
    noteError(array, member.error);
    array.numPending -= 1;
    if (array.numPending === 0) {
      takeError(array);
      dmaFenceSignal(array);
    }
    dmaFencePut(array);
  };

function membersSignaled(array: DmaFenceArray): boolean {
  if (array.signalingEnabled) return array.numPending <= 0;
  let pending = array.numPending;
  for (const member of array.fences) {
    if (!dmaFenceIsSignaled(member)) continue;
    pending -= 1;
    if (pending === 0) return true;
  }
  return false;
}

function noteError(array: DmaFenceArray, error: number): void {
  if (error !== 0) array.firstError ??= error;
}

function takeError(array: DmaFenceArray): void {
  if (array.firstError !== null) array.error = array.firstError;
}
