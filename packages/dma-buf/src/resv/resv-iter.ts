// Iterating over the fences of a reservation: with the lock, every fence; without it, those that have not signaled, and
// from the start again whenever the list was replaced.
// Source followed: dma_resv_iter_* in drivers/dma-buf/dma-resv.c.
// Simplified: none.

import { type DmaFence, dmaFenceGet, dmaFenceIsSignaled, dmaFencePut } from '../fence/dma-fence.ts';
import { type DmaResv, type DmaResvEntry, type DmaResvList, dmaResvAssertHeld } from './dma-resv.ts';
import type { DmaResvUsage } from './resv-usage.ts';

/**
 * The fences that a query for `usage` sees, those that have signaled included. The lock must be held.
 * @kernel dma_resv_for_each_fence
 * @public
 */
export function* dmaResvForEachFence(obj: DmaResv, usage: DmaResvUsage): Generator<DmaResvEntry, void, void> {
  dmaResvAssertHeld(obj);
  for (const entry of obj.list?.entries ?? []) if (entry.usage <= usage) yield entry;
}

/**
 * A walk without the lock. Holds a reference of the fence it stands on; end it with {@link dmaResvIterEnd}.
 * @kernel dma_resv_iter
 * @public
 */
export class DmaResvIter {
  readonly obj: DmaResv;
  readonly usage: DmaResvUsage;
  /** The fence it stands on. */
  fence: DmaFence | null = null;
  /** The usage of that fence. */
  fenceUsage: DmaResvUsage;
  /** True when the walk has just begun, or begun again: what was gathered before does not count. */
  isRestarted = false;
  #list: DmaResvList | null = null;
  #count = 0;
  #index = 0;

  /** @internal */
  constructor(obj: DmaResv, usage: DmaResvUsage) {
    this.obj = obj;
    this.usage = usage;
    this.fenceUsage = usage;
  }

  /** @internal */
  get outdated(): boolean {
    return this.obj.list !== this.#list;
  }

  /** Begins at the front of the list there is now. @internal */
  restart(): void {
    this.#list = this.obj.list;
    this.#count = this.#list?.entries.length ?? 0;
    this.#index = 0;
    this.isRestarted = true;
  }

  /** Steps on to the next unsignaled fence of the list it began with. @internal */
  walk(): void {
    dmaFencePut(this.fence);
    this.fence = null;
    while (this.#index < this.#count) {
      const entry = this.#list?.entries[this.#index];
      this.#index += 1;
      if (entry === undefined || entry.usage > this.usage || dmaFenceIsSignaled(entry.fence)) continue;
      this.fence = dmaFenceGet(entry.fence);
      this.fenceUsage = entry.usage;
      return;
    }
  }
}

/**
 * A walk over what a query for `usage` sees.
 * @kernel dma_resv_iter_begin
 * @public
 */
export function dmaResvIterBegin(obj: DmaResv, usage: DmaResvUsage): DmaResvIter {
  return new DmaResvIter(obj, usage);
}

/**
 * The first unsignaled fence, or null.
 * @kernel dma_resv_iter_first_unlocked
 * @public
 */
export function dmaResvIterFirstUnlocked(cursor: DmaResvIter): DmaFence | null {
  do {
    cursor.restart();
    cursor.walk();
  } while (cursor.outdated);
  return cursor.fence;
}

/**
 * The next unsignaled fence, or null; the first one again when the list was replaced meanwhile.
 * @kernel dma_resv_iter_next_unlocked
 * @public
 */
export function dmaResvIterNextUnlocked(cursor: DmaResvIter): DmaFence | null {
  cursor.isRestarted = false;
  let restart = cursor.outdated;
  do {
    if (restart) cursor.restart();
    cursor.walk();
    restart = true;
  } while (cursor.outdated);
  return cursor.fence;
}

/**
 * Ends a walk: the reference it holds is given back.
 * @kernel dma_resv_iter_end
 * @public
 */
export function dmaResvIterEnd(cursor: DmaResvIter): void {
  dmaFencePut(cursor.fence);
  cursor.fence = null;
}

/**
 * The unsignaled fences that a query for `usage` sees, without the lock, each valid until the next is asked for. The
 * walk ends with the loop, however that is left.
 * @kernel dma_resv_for_each_fence_unlocked
 * @public
 */
export function* dmaResvForEachFenceUnlocked(cursor: DmaResvIter): Generator<DmaFence, void, void> {
  try {
    for (
      let fence = dmaResvIterFirstUnlocked(cursor);
      fence !== null;
      fence = dmaResvIterNextUnlocked(cursor)
    ) {
      yield fence;
    }
  } finally {
    dmaResvIterEnd(cursor);
  }
}
