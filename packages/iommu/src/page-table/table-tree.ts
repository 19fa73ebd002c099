// TableTree: the pages of one page table in simulated memory, linked from a top table downwards.
// Source followed: drivers/iommu/generic_pt/pt_iter.h (ranges, indexes) and iommu_pt.h (new tables, increase_top).
// The bytes in memory decide; what is remembered here is only where the words of the table behind an entry lie.
// Simplified: one writer at a time; table pages are 4 KiB with 512 entries.

import type { PhysicalMemory } from '@sgfree/hw-model';
import { Errno, type FrameAllocator } from '@sgfree/mm';
import { FRAME_LIMIT, itemFrames } from './frame-bits.ts';
import { EntryKind, EntryWords, entryAddress, type PageTableFormat } from './page-table-format.ts';
import type { TableMemory } from './table-memory.ts';

/** Levels a tree can have: AMD tables go up to six. */
export const MAX_LEVELS = 6;
/** A level 3 entry spans 2^27 frames: below, an index is taken from the low part of a frame number, above from the high one. */
const LOW_PART = 2 ** 27;
const ENTRIES = 512;
const PAGE_SHIFT = 12;

/**
 * Tables of one domain.
 * @internal
 */
export class TableTree {
  readonly format: PageTableFormat;
  /** Table pages as the CPU sees them. */
  readonly memory: Pick<PhysicalMemory, 'frameWords'>;
  /** Where stores are written back; null where the walker sees them anyway. */
  readonly written: TableMemory | null;
  readonly frames: FrameAllocator;
  readonly vaBits: number;
  /** Live table pages by level of their entries, the top included. */
  readonly tablesPerLevel: Uint32Array = new Uint32Array(MAX_LEVELS);
  /** Times the top has grown. */
  topChanges = 0;
  /** Why the last {@link TableTree.reach} failed: a negative errno. */
  errno = 0;
  #topLevel: number;
  #rootFrame: number;
  #rootWords: Uint32Array;
  #topMask = 0;
  /** Frames that the top decodes: 0 .. span - 1, and without sign extension nothing else. */
  #span = 0;
  readonly #signExtend: boolean;
  readonly #tableMemory: TableMemory | null;
  readonly #entry = new EntryWords();
  /** The last entry that led to a table of each level, and the words of that table. */
  readonly #knownLow: Float64Array = new Float64Array(MAX_LEVELS).fill(-1);
  readonly #knownHigh: Float64Array = new Float64Array(MAX_LEVELS).fill(-1);
  readonly #knownWords: Uint32Array[];

  constructor(
    format: PageTableFormat,
    memory: PhysicalMemory,
    frames: FrameAllocator,
    vaBits: number,
    topLevel: number,
    rootFrame: number,
    tableMemory: TableMemory | null = null,
  ) {
    this.format = format;
    this.memory = tableMemory ?? memory;
    this.written = format.features.dmaIncoherent === true ? tableMemory : null;
    this.#tableMemory = tableMemory;
    tableMemory?.fresh(rootFrame);
    this.frames = frames;
    this.vaBits = vaBits;
    this.#signExtend = format.features.signExtend === true;
    this.#topLevel = topLevel;
    this.#rootFrame = rootFrame;
    this.#rootWords = this.memory.frameWords(rootFrame);
    this.#knownWords = Array.from({ length: MAX_LEVELS }, () => this.#rootWords);
    this.tablesPerLevel[topLevel] = 1;
    this.#setTop(topLevel, rootFrame);
  }

  get topLevel(): number {
    return this.#topLevel;
  }

  get rootFrame(): number {
    return this.#rootFrame;
  }

  get rootWords(): Uint32Array {
    return this.#rootWords;
  }

  /** Frames spanned by the top table as it is now. */
  get span(): number {
    return this.#span;
  }

  /**
   * True when the tables can hold frames `first` to `last`. A sign-extended range that starts in the lower half may run
   * on to the end of the width, past the addresses that hardware accepts, as in Linux.
   */
  holds(first: number, last: number): boolean {
    if (last < this.#span) return !this.#signExtend || first < this.#span / 2;
    return this.#signExtend && first >= FRAME_LIMIT - this.#span;
  }

  /** Slot (index of the low word) of the entry for `frame` in a table of `level`. */
  slotOf(frame: number, level: number): number {
    const above = Math.floor(frame / LOW_PART);
    const index = level < 3 ? (frame - above * LOW_PART) >>> (9 * level) : above >>> (9 * level - 27);
    return (index & (level === this.#topLevel ? this.#topMask : ENTRIES - 1)) * 2;
  }

  /** First frame of the table of `level` that holds `frame`. */
  tableBase(frame: number, level: number): number {
    const span = level === this.#topLevel ? this.#span : itemFrames(level + 1);
    return Math.floor(frame / span) * span;
  }

  /** Words of the table that an entry of a table of `level` leads to; undefined when it leads to none. */
  child(low: number, high: number, level: number): Uint32Array | undefined {
    const below = level - 1;
    if (low === this.#knownLow[below] && high === this.#knownHigh[below]) return this.#knownWords[below];
    if (this.format.kindOf(low, high, level) !== EntryKind.table) return undefined;
    return this.#know(low, high, below, entryAddress(low, high));
  }

  /** Words of the table of `level` on the way to `frame`, made when missing; undefined leaves {@link TableTree.errno}. */
  reach(frame: number, level: number): Uint32Array | undefined {
    let words = this.#rootWords;
    for (let at = this.#topLevel; at > level; at -= 1) {
      const slot = this.slotOf(frame, at);
      const low = words[slot] as number;
      const high = words[slot + 1] as number;
      const next = this.child(low, high, at) ?? this.#newTable(words, slot, at);
      if (next === undefined) return undefined;
      words = next;
    }
    return words;
  }

  /** Takes the table behind an entry out of the tree; the caller keeps the frame until it is flushed. */
  unlink(words: Uint32Array, slot: number, level: number): number {
    const frame = entryAddress(words[slot] as number, words[slot + 1] as number);
    words[slot] = 0;
    words[slot + 1] = 0;
    this.written?.writeBack(words, slot, slot + 2);
    this.noteGone(level - 1);
    return frame;
  }

  /** Counts a table of `level` out. */
  noteGone(level: number): void {
    (this.tablesPerLevel[level] as number) -= 1;
  }

  /**
   * Adds levels until the top decodes frames `first` to `last` and can hold leaves of `leafLevel`: all of them or none.
   * Returns 0, -ERANGE beyond the width, -ENOMEM.
   */
  grow(first: number, last: number, leafLevel: number): number {
    const added: number[] = [];
    let level = this.#topLevel;
    let root = this.#rootFrame;
    while (last >= this.#spanOf(level) || first >= this.#spanOf(level) || leafLevel > level) {
      level += 1;
      const tooHigh = level >= MAX_LEVELS || PAGE_SHIFT + 9 * level >= this.vaBits;
      const frame = tooHigh ? -1 : this.frames.alloc();
      if (frame < 0) {
        for (const unused of added) this.frames.free(unused);
        return tooHigh ? -Errno.ERANGE : -Errno.ENOMEM;
      }
      added.push(frame);
      this.#tableMemory?.fresh(frame);
      this.#link(this.memory.frameWords(frame), 0, level, root);
      root = frame;
    }
    for (let at = this.#topLevel + 1; at <= level; at += 1) (this.tablesPerLevel[at] as number) += 1;
    this.#setTop(level, root);
    this.topChanges += 1;
    return 0;
  }

  #setTop(level: number, frame: number): void {
    this.#topLevel = level;
    this.#rootFrame = frame;
    this.#rootWords = this.memory.frameWords(frame);
    this.#span = this.#spanOf(level);
    this.#topMask = this.#span / itemFrames(level) - 1;
  }

  #spanOf(level: number): number {
    return Math.min(itemFrames(level + 1), 2 ** (this.vaBits - PAGE_SHIFT));
  }

  #newTable(words: Uint32Array, slot: number, level: number): Uint32Array | undefined {
    const low = words[slot] as number;
    if (this.format.kindOf(low, words[slot + 1] as number, level) === EntryKind.leaf) {
      this.errno = -Errno.EADDRINUSE;
      return undefined;
    }
    const frame = this.frames.alloc();
    if (frame < 0) {
      this.errno = -Errno.ENOMEM;
      return undefined;
    }
    this.#tableMemory?.fresh(frame);
    (this.tablesPerLevel[level - 1] as number) += 1;
    this.#link(words, slot, level, frame);
    return this.#know(words[slot] as number, words[slot + 1] as number, level - 1, frame);
  }

  #link(words: Uint32Array, slot: number, level: number, frame: number): void {
    this.format.encodeTable(frame, level, this.#entry);
    words[slot + 1] = this.#entry.high;
    words[slot] = this.#entry.low;
    this.written?.writeBack(words, slot, slot + 2);
  }

  #know(low: number, high: number, level: number, frame: number): Uint32Array {
    const words = this.memory.frameWords(frame);
    this.#knownLow[level] = low;
    this.#knownHigh[level] = high;
    this.#knownWords[level] = words;
    return words;
  }
}
