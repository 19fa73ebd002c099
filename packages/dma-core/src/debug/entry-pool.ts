// EntryPool: where entries come from: a number made beforehand, more in pages of 32, none when memory is short.
// Source followed: kernel/dma/debug.c (dma_entry_alloc, dma_entry_free, dma_debug_create_entries).
// What is given back is what is handed out next.
// Simplified: entries of the first stock are made when they are needed; they count from the start.

import { DmaDebugEntry, type DmaDebugRef } from './debug-entry.ts';

/** Entries on one page. */
const ENTRIES_PER_PAGE = 32;

/**
 * Stock of {@link DmaDebugEntry}.
 * @internal
 */
export class EntryPool {
  /** Entries that exist (`nr_total_entries`). */
  total: number;
  /** Entries not in use (`num_free_entries`). */
  free: number;
  /** Fewest that were ever free (`min_free_entries`). */
  leastFree: number;
  readonly #most: number;
  readonly #givenBack: DmaDebugEntry[] = [];

  /** `entries` to start with, rounded up to whole pages; no page is made that would exceed `most`. */
  constructor(entries: number, most: number) {
    const pages = Math.min(Math.ceil(entries / ENTRIES_PER_PAGE), Math.floor(most / ENTRIES_PER_PAGE));
    this.total = pages * ENTRIES_PER_PAGE;
    this.free = this.total;
    this.leastFree = this.total;
    this.#most = most;
  }

  /** An entry for `ref`, or null when there is no memory for more. */
  take(ref: DmaDebugRef, call: number): DmaDebugEntry | null {
    if (this.free === 0 && !this.#grow()) return null;
    this.free -= 1;
    this.leastFree = Math.min(this.leastFree, this.free);
    return (this.#givenBack.pop() ?? new DmaDebugEntry(ref)).become(ref, call);
  }

  /** Takes `entry` back; its fields stay readable until it is handed out again. */
  giveBack(entry: DmaDebugEntry): void {
    this.#givenBack.push(entry);
    this.free += 1;
  }

  #grow(): boolean {
    if (this.total + ENTRIES_PER_PAGE > this.#most) return false;
    this.total += ENTRIES_PER_PAGE;
    this.free += ENTRIES_PER_PAGE;
    return true;
  }
}
