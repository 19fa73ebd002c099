// ActiveCachelines: the first cacheline of every mapping that a device may write, and how many others share it.
// Source followed: kernel/dma/debug.c (active_cacheline_insert, active_cacheline_inc_overlap, active_cacheline_remove).
// The count lives in three tag bits: it stops at 7, so after more mappings the line is forgotten too early.
// Simplified: a limit on the number of lines stands for the allocation that can fail.

import type { DmaAttrs } from '../dma-attrs.ts';
import type { DmaDebugEntry } from './debug-entry.ts';

/** Bytes of a cacheline of the CPU (`L1_CACHE_BYTES` of x86-64). @internal */
export const L1_CACHE_BYTES = 64;

/** Most overlaps that can be counted (`ACTIVE_CACHELINE_MAX_OVERLAP`). @internal */
export const MAX_OVERLAP = 7;

interface ActiveLine {
  /** The entry that made the line active; it may have been given back since, even handed out anew. */
  readonly first: DmaDebugEntry;
  overlaps: number;
}

/**
 * What adding a mapping met: a fresh line, no memory, or a line in use.
 * @internal
 */
export type LineState = 'fresh' | 'no memory' | { readonly overlaps: number; readonly firstIsClean: boolean };

/**
 * True when overlaps of such a mapping are meant.
 * @internal
 */
export const isCacheClean = (attrs: DmaAttrs): boolean =>
  attrs.debuggingIgnoreCachelines === true || attrs.requireCoherent === true;

/**
 * Number of the cacheline a mapping starts in.
 * @internal
 */
export const cachelineOf = ({ phys }: DmaDebugEntry): number => Math.floor(phys / L1_CACHE_BYTES);

/**
 * Cachelines in use by devices that write.
 * @internal
 */
export class ActiveCachelines {
  readonly #lines: Map<number, ActiveLine> = new Map();
  readonly #most: number;

  /** No more than `most` lines find memory. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Lines in use. */
  get count(): number {
    return this.#lines.size;
  }

  /** Adds the first line of `entry`. The overlaps it answers may be one more than can be kept. */
  insert(entry: DmaDebugEntry): LineState {
    if (entry.direction === 'to-device') return 'fresh';
    const line = this.#lines.get(cachelineOf(entry));
    if (line === undefined) {
      if (this.#lines.size >= this.#most) return 'no memory';
      this.#lines.set(cachelineOf(entry), { first: entry, overlaps: 0 });
      return 'fresh';
    }
    const overlaps = line.overlaps + 1;
    line.overlaps = Math.min(overlaps, MAX_OVERLAP);
    return { overlaps, firstIsClean: isCacheClean(line.first.attrs) };
  }

  /** Takes the line of `entry` back. */
  remove(entry: DmaDebugEntry): void {
    if (entry.direction === 'to-device') return;
    const line = this.#lines.get(cachelineOf(entry));
    if (line === undefined) return;
    if (line.overlaps === 0) this.#lines.delete(cachelineOf(entry));
    else line.overlaps -= 1;
  }
}
