// MapWalk: writes leaves, a run of equal page size at a time, table by table.
// Source followed: drivers/iommu/generic_pt/iommu_pt.h, __map_range(), __map_range_leaf() and clear_contig().
// A slot that holds a table gives way when no leaf lies below it; with several slots to clear, those already cleared
// stay cleared after a failure (map-frees-empty-tables-piecewise).
// Simplified: one writer, so that no table appears under its feet.

import { Errno } from '@sgfree/mm';
import { itemFrames, orderFrames } from './frame-bits.ts';
import type { IotlbGather } from './iotlb-gather.ts';
import { EntryKind, EntryWords, entryAddress } from './page-table-format.ts';
import { collectTables, holdsLeaf } from './subtree.ts';
import type { TableTree } from './table-tree.ts';

/** Frames that fit bits 51:12 of an entry; an output address beyond starts again at 0, as the kernel's bit field does. */
const ADDRESS_FRAMES = 2 ** 40;
const ENTRIES = 512;
const PAGE_SIZE = 4096;
const LEVEL_ORDER = 9;

/**
 * Takes a range into a gather by the rules of the table: see {@link PageTable}.
 * @internal
 */
export type GatherRange = (gather: IotlbGather, frame: number, offset: number, bytes: number) => void;

/**
 * Writer of leaves.
 * @internal
 */
export class MapWalk {
  /** Page frames mapped since the caller last reset it. */
  mapped = 0;
  /** Leaf entries written. */
  entriesWritten = 0;
  /** Those of them above the lowest level, by level. */
  readonly largeEntries: number[] = [0, 0, 0, 0, 0, 0];
  readonly #tree: TableTree;
  readonly #gather: IotlbGather;
  readonly #gatherRange: GatherRange;
  readonly #entry = new EntryWords();
  readonly #freed: number[] = [];
  #size = 1;
  #stepLow = PAGE_SIZE;
  #stepHigh = 0;

  constructor(tree: TableTree, gather: IotlbGather, gatherRange: GatherRange) {
    this.#tree = tree;
    this.#gather = gather;
    this.#gatherRange = gatherRange;
  }

  /** Maps one page of 4 KiB: what {@link MapWalk.run} does, without its choices. */
  single(frame: number, phys: number, prot: number): number {
    const words = this.#tree.reach(frame, 0);
    if (words === undefined) return this.#tree.errno;
    const slot = this.#tree.slotOf(frame, 0);
    if (((words[slot] as number) | (words[slot + 1] as number)) !== 0) return -Errno.EADDRINUSE;
    this.#tree.format.encodeLeaf(phys, 0, 0, prot, this.#entry);
    words[slot + 1] = this.#entry.high;
    words[slot] = this.#entry.low;
    if (this.#tree.written !== null) this.#tree.written.writeBack(words, slot, slot + 2);
    this.mapped += 1;
    this.entriesWritten += 1;
    return 0;
  }

  /** Maps `pages` frames at `frame` to `phys` with leaves of `order`; 0 or a negative errno. */
  run(frame: number, phys: number, pages: number, order: number, prot: number): number {
    const level = (order / LEVEL_ORDER) | 0;
    const items = 1 << (order - LEVEL_ORDER * level);
    const size = orderFrames(order);
    for (let done = 0; done < pages; ) {
      const words = this.#tree.reach(frame + done, level);
      if (words === undefined) return this.#tree.errno;
      const slot = this.#tree.slotOf(frame + done, level);
      const target = wrapped(phys + done);
      const room = Math.min((ENTRIES - slot / 2) / items, (ADDRESS_FRAMES - target) / size);
      const wanted = Math.min((pages - done) / size, room);
      this.#tree.format.encodeLeaf(target, level, order, prot, this.#entry);
      this.#setStep(size);
      const written =
        items === 1
          ? this.#fill(words, slot, wanted, level, frame + done)
          : this.#fillGroups(words, slot, wanted, level, frame + done, items);
      if (this.#tree.written !== null) this.#tree.written.writeBack(words, slot, slot + written * items * 2);
      this.mapped += written * size;
      this.entriesWritten += written * items;
      if (level > 0) this.largeEntries[level] = (this.largeEntries[level] as number) + written * items;
      if (written < wanted) return -Errno.EADDRINUSE;
      done += wanted * size;
    }
    return 0;
  }

  /** Bytes from one leaf to the next, as two words: sizes are powers of two, so one of them is 0. */
  #setStep(size: number): void {
    this.#size = size;
    this.#stepHigh = Math.floor(size / 0x100000);
    this.#stepLow = this.#stepHigh === 0 ? size * 4096 : 0;
  }

  /** Writes `count` leaves of one entry each; returns how many were written before a slot was taken. */
  #fill(words: Uint32Array, slot: number, count: number, level: number, frame: number): number {
    const step = this.#stepLow;
    let { low, high } = this.#entry;
    for (let done = 0; done < count; ) {
      // The high word stays while the low one does not wrap; a step of 4 GiB and more changes it each time.
      const room = step === 0 ? 1 : Math.ceil((2 ** 32 - low) / step);
      const until = slot + Math.min(count, done + room) * 2;
      const stopped = this.#fillSpan(
        words,
        slot + done * 2,
        until,
        low | 0,
        high | 0,
        level,
        frame - (slot / 2) * this.#size,
      );
      if (stopped < until) return (stopped - slot) / 2;
      low = low + room * step - (step === 0 ? 0 : 2 ** 32);
      high += step === 0 ? this.#stepHigh : 1;
      done += room;
    }
    return count;
  }

  /** Writes single entries with one high word into the slots `from` to `until`; returns the first that was taken. */
  #fillSpan(
    words: Uint32Array,
    from: number,
    until: number,
    firstLow: number,
    high: number,
    level: number,
    tableFrame: number,
  ): number {
    const step = this.#stepLow | 0;
    let low = firstLow;
    for (let to = from; to < until; to += 2) {
      if (((words[to] as number) | (words[to + 1] as number)) !== 0) {
        if (!this.#vacate(words, to, 1, level, tableFrame + (to / 2) * this.#size)) return to;
      }
      words[to] = low;
      words[to + 1] = high;
      low = (low + step) | 0;
    }
    return until;
  }

  /** The same with `items` equal entries for each leaf. */
  #fillGroups(
    words: Uint32Array,
    slot: number,
    count: number,
    level: number,
    frame: number,
    items: number,
  ): number {
    const { low: firstLow, high: firstHigh } = this.#entry;
    const span = items * 2;
    for (let at = 0; at < count; at += 1) {
      const from = slot + at * span;
      if (!this.#vacate(words, from, items, level, frame + at * this.#size)) return at;
      const low = firstLow + at * this.#stepLow;
      const high = firstHigh + at * this.#stepHigh + Math.floor(low / 2 ** 32);
      for (let to = from; to < from + span; to += 2) {
        words[to + 1] = high;
        words[to] = low;
      }
    }
    return count;
  }

  /** Clears the slots of a leaf at `frame`; false when one of them, or something below it, is in use. */
  #vacate(words: Uint32Array, slot: number, items: number, level: number, frame: number): boolean {
    const { format, memory } = this.#tree;
    for (let item = 0; item < items; item += 1) {
      const at = slot + item * 2;
      const low = words[at] as number;
      const high = words[at + 1] as number;
      if ((low | high) === 0) continue;
      const kind = format.kindOf(low, high, level);
      if (kind === EntryKind.leaf) return false;
      if (kind === EntryKind.empty) continue;
      const below = memory.frameWords(entryAddress(low, high));
      if (holdsLeaf(this.#tree, below, level - 1)) return false;
      this.#release(words, at, level, frame + item * itemFrames(level), below);
    }
    return true;
  }

  /** Takes the table tree behind a slot away; it goes to the gather, with the range it covered. */
  #release(words: Uint32Array, slot: number, level: number, frame: number, below: Uint32Array): void {
    const freed = this.#freed;
    freed.length = 0;
    collectTables(this.#tree, below, level - 1, freed);
    freed.push(this.#tree.unlink(words, slot, level));
    this.#gatherRange(this.#gather, frame, 0, itemFrames(level) * PAGE_SIZE);
    for (const table of freed) this.#gather.freelist.push(table);
  }
}

const wrapped = (frame: number): number => (frame < ADDRESS_FRAMES ? frame : frame - ADDRESS_FRAMES);
