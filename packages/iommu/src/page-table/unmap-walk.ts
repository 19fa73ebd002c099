// UnmapWalk: clears leaves from an address upwards and takes out tables that the request covers whole.
// Source followed: drivers/iommu/generic_pt/iommu_pt.h, __unmap_range().
// A leaf goes whole even when the request ends inside it; a request that starts inside one, or meets an empty entry,
// ends there (unmap-overrun, unmap-inside-leaf-zero, unmap-stops-at-hole). Tables only left empty stay (empty-tables-stay).
// Simplified: recursion over at most six levels.

import { itemFrames } from './frame-bits.ts';
import { EntryKind, entryAddress } from './page-table-format.ts';
import type { TableTree } from './table-tree.ts';

const WORDS = 1024;

/**
 * Remover of leaves.
 * @internal
 */
export class UnmapWalk {
  /** Page frames unmapped by the last {@link UnmapWalk.run}. */
  unmapped = 0;
  /** Leaf entries cleared since the beginning. */
  entriesCleared = 0;
  readonly #tree: TableTree;
  readonly #single: boolean;
  readonly #presentBits: number;
  #freelist: number[] = [];
  /** Last frame that the request covers to its last byte. */
  #lastCovered = 0;

  constructor(tree: TableTree) {
    this.#tree = tree;
    this.#single = !tree.format.contiguous;
    this.#presentBits = tree.format.presentBits;
  }

  /** Unmaps one page of 4 KiB, which never covers a table: what {@link UnmapWalk.run} does, without its choices. */
  page(frame: number, freelist: number[]): void {
    const tree = this.#tree;
    let words = tree.rootWords;
    let level = tree.topLevel;
    for (; level > 0; level -= 1) {
      const at = tree.slotOf(frame, level);
      const below = tree.child(words[at] as number, words[at + 1] as number, level);
      if (below === undefined) break;
      words = below;
    }
    // Larger leaves and formats whose leaves span entries take the long way.
    if (level > 0 || !this.#single) {
      this.run(frame, frame, frame, freelist);
      return;
    }
    const slot = tree.slotOf(frame, 0);
    this.unmapped = 0;
    this.#clearSingles(words, slot, slot + 2);
  }

  /** Unmaps frames `first` to `last`; of `last` itself only a part may be meant, then `lastCovered` is one less. */
  run(first: number, last: number, lastCovered: number, freelist: number[]): void {
    const tree = this.#tree;
    this.unmapped = 0;
    this.#freelist = freelist;
    this.#lastCovered = lastCovered;
    let words = tree.rootWords;
    let level = tree.topLevel;
    for (; level > 0; level -= 1) {
      const item = itemFrames(level);
      const base = Math.floor(first / item) * item;
      const end = base + item - 1;
      // Within one entry there is a single way down; a table that is covered whole needs the careful walk.
      if (last > end || (base === first && lastCovered >= end)) break;
      const slot = tree.slotOf(first, level);
      const below = tree.child(words[slot] as number, words[slot + 1] as number, level);
      if (below === undefined) break;
      words = below;
    }
    this.#table(words, level, first, last);
  }

  /** Clears what `first` to `last` holds in one table; false when the walk has to end. */
  #table(words: Uint32Array, level: number, first: number, last: number): boolean {
    const item = itemFrames(level);
    const base = this.#tree.tableBase(first, level);
    const end = Math.min(WORDS, (Math.floor((last - base) / item) + 1) * 2);
    let slot = Math.floor((first - base) / item) * 2;
    if (this.#startsInsideLeaf(words, slot, level, first)) return false;
    if (level === 0 && this.#single) return this.#clearSingles(words, slot, end) === end;
    while (slot < end) {
      const low = words[slot] as number;
      const high = words[slot + 1] as number;
      const kind = this.#tree.format.kindOf(low, high, level);
      if (kind === EntryKind.empty) return false;
      if (kind === EntryKind.leaf) {
        slot = this.#clear(words, slot, low, high, level);
        continue;
      }
      const from = base + (slot / 2) * item;
      if (!this.#below(words, slot, level, first, last, from, from + item - 1)) return false;
      slot += 2;
    }
    return true;
  }

  #startsInsideLeaf(words: Uint32Array, slot: number, level: number, first: number): boolean {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    const { format } = this.#tree;
    if (format.kindOf(low, high, level) !== EntryKind.leaf) return false;
    const size = itemFrames(level) * (1 << format.itemsLg2(low, high, level));
    return Math.floor(first / size) * size !== first;
  }

  /** Clears 4 KiB leaves of one entry each up to `end`; returns the first slot that holds none. */
  #clearSingles(words: Uint32Array, slot: number, end: number): number {
    const present = this.#presentBits;
    let at = slot;
    for (; at < end && ((words[at] as number) & present) !== 0; at += 2) {
      words[at] = 0;
      words[at + 1] = 0;
    }
    if (this.#tree.written !== null) this.#tree.written.writeBack(words, slot, at);
    const cleared = (at - slot) >> 1;
    this.unmapped += cleared;
    this.entriesCleared += cleared;
    return at;
  }

  /** Clears one leaf; returns the slot after it. */
  #clear(words: Uint32Array, slot: number, low: number, high: number, level: number): number {
    const items = 1 << this.#tree.format.itemsLg2(low, high, level);
    const next = slot + items * 2;
    for (let at = slot; at < next; at += 1) words[at] = 0;
    if (this.#tree.written !== null) this.#tree.written.writeBack(words, slot, next);
    this.unmapped += items * itemFrames(level);
    this.entriesCleared += items;
    return next;
  }

  /** Goes into the table behind a slot, which spans `from` to `to`, and takes it out when the request covers it. */
  #below(
    words: Uint32Array,
    slot: number,
    level: number,
    first: number,
    last: number,
    from: number,
    to: number,
  ): boolean {
    const { memory } = this.#tree;
    const below = memory.frameWords(entryAddress(words[slot] as number, words[slot + 1] as number));
    if (!this.#table(below, level - 1, Math.max(first, from), Math.min(last, to))) return false;
    if (from >= first && to <= this.#lastCovered) this.#freelist.push(this.#tree.unlink(words, slot, level));
    return true;
  }
}
