// Snapshots of a reservation: its unsignaled fences as a list, as one fence, or copied into another reservation.
// Source followed: dma_resv_get_fences, dma_resv_get_singleton and dma_resv_copy_fences in drivers/dma-buf/dma-resv.c.
// Simplified: none.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { type DmaFence, dmaFenceGet, dmaFencePut } from '../fence/dma-fence.ts';
import { dmaFenceArrayCreate } from '../fence/fence-array.ts';
import { type DmaResv, type DmaResvEntry, type DmaResvList, dmaResvAssertHeld } from './dma-resv.ts';
import { dmaResvForEachFenceUnlocked, dmaResvIterBegin } from './resv-iter.ts';
import { dmaResvListAlloc } from './resv-list.ts';
import { DmaResvUsage } from './resv-usage.ts';

const POINTER_BYTES = 8;

/**
 * The unsignaled fences that a query for `usage` sees, each with a reference. -ENOMEM.
 * @kernel dma_resv_get_fences
 * @public
 */
export function dmaResvGetFences(obj: DmaResv, usage: DmaResvUsage): Outcome<DmaFence[]> {
  const { platform } = obj;
  const entries = unsignaledEntries(obj, usage, (count) => platform.allocate((count + 1) * POINTER_BYTES));
  return entries === null ? failure(Errno.ENOMEM) : success(entries.map(({ fence }) => fence));
}

/** Each with a reference; null when `allocate` has no memory for as many as there may be. */
function unsignaledEntries(
  obj: DmaResv,
  usage: DmaResvUsage,
  allocate: (count: number) => boolean,
): DmaResvEntry[] | null {
  let found: DmaResvEntry[] = [];
  const cursor = dmaResvIterBegin(obj, usage);
  for (const fence of dmaResvForEachFenceUnlocked(cursor)) {
    if (cursor.isRestarted) {
      for (const entry of found) dmaFencePut(entry.fence);
      found = [];
      if (!allocate(obj.list?.entries.length ?? 0)) return null;
    }
    found.push({ fence: dmaFenceGet(fence), usage: cursor.fenceUsage });
  }
  return found;
}

/**
 * One fence for all of them, with a reference: null when there is none, the only one, or an array, which must not be
 * added to a reservation. -ENOMEM.
 * @kernel dma_resv_get_singleton
 * @public
 */
export function dmaResvGetSingleton(obj: DmaResv, usage: DmaResvUsage): Outcome<DmaFence | null> {
  const found = dmaResvGetFences(obj, usage);
  if (!found.ok) return found;
  const fences = found.value;
  const [first = null] = fences;
  if (fences.length <= 1) return success(first);
  const array = dmaFenceArrayCreate(obj.platform, fences, obj.platform.takeContexts(1), 1);
  if (!array.ok) fences.forEach(dmaFencePut);
  return array;
}

/**
 * Makes the unsignaled fences of `src`, with their usages, those of `dst`, whose lock is held. 0 or -ENOMEM.
 * @kernel dma_resv_copy_fences
 * @public
 */
export function dmaResvCopyFences(dst: DmaResv, src: DmaResv): number {
  dmaResvAssertHeld(dst);
  let room: DmaResvList | null = null;
  const entries = unsignaledEntries(src, DmaResvUsage.BOOKKEEP, (count) => {
    room = dmaResvListAlloc(src.platform, count);
    return room !== null;
  });
  if (entries === null) return -Errno.ENOMEM;
  const before = dst.list;
  dst.list = listOf(room, entries);
  for (const { fence } of before?.entries ?? []) dmaFencePut(fence);
  return 0;
}

/** A list without any fence is none. */
function listOf(room: DmaResvList | null, entries: DmaResvEntry[]): DmaResvList | null {
  return room === null ? null : { entries, capacity: room.capacity };
}
