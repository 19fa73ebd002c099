// DirtyBits: the bits in page-table entries that say whether a device has written, read and cleared by software.
// Source followed: pt_entry_is_write_dirty(), pt_entry_make_write_clean() of the amdv1 format and read_and_clear_dirty()
// in drivers/iommu/generic_pt/iommu_pt.h. Bit 6 of a leaf; a leaf of several equal entries is dirty when one of them is.
// Simplified: AMD v1 tables only, whose walker sees the CPU's stores.

import type { PhysicalMemory } from '@sgfree/hw-model';
import type { PageTable } from './page-table.ts';
import { EntryKind, entryAddress } from './page-table-format.ts';

const DIRTY = 0x40;
const WORDS_PER_ENTRY = 2;

/** A leaf: its words in the table, and the units it covers. */
interface Leaf {
  readonly words: Uint32Array;
  /** Index of its first low word. */
  readonly at: number;
  readonly items: number;
  readonly firstUnit: number;
  readonly units: number;
}

/**
 * Told of a dirty leaf: its first unit (the table's smallest page) and how many it covers.
 * @public
 */
export type DirtyVisitor = (firstUnit: number, units: number) => void;

/**
 * The dirty bits of one table, an AMD v1 one.
 * @public
 */
export class DirtyBits {
  readonly #table: PageTable;
  readonly #memory: PhysicalMemory;

  constructor(table: PageTable, memory: PhysicalMemory) {
    this.#table = table;
    this.#memory = memory;
  }

  /** Visits the dirty leaves that overlap units `first` to `last`, and makes them clean unless `keep`. */
  read(first: number, last: number, keep: boolean, visit: DirtyVisitor): void {
    for (let unit = first; unit <= last; ) {
      const leaf = this.#leafAt(unit);
      if (leaf === null) {
        unit += 1;
        continue;
      }
      if (isDirty(leaf)) {
        visit(leaf.firstUnit, leaf.units);
        if (!keep) clean(leaf);
      }
      unit = leaf.firstUnit + leaf.units;
    }
  }

  /** What hardware does when a device writes to `unit`: sets the bit of the entry; false when nothing is mapped there. */
  mark(unit: number): boolean {
    const leaf = this.#leafAt(unit);
    if (leaf === null) return false;
    const item = Math.floor((unit - leaf.firstUnit) / (leaf.units / leaf.items));
    const at = leaf.at + item * WORDS_PER_ENTRY;
    leaf.words[at] = ((leaf.words[at] ?? 0) | DIRTY) >>> 0;
    return true;
  }

  #leafAt(unit: number): Leaf | null {
    const { format, levels, rootFrame } = this.#table;
    let words = this.#memory.frameWords(rootFrame);
    for (let level = levels - 1; level >= 0; level -= 1) {
      const span = 512 ** level;
      const slot = Math.floor(unit / span) % 512;
      const [low, high] = [words[slot * 2] ?? 0, words[slot * 2 + 1] ?? 0];
      const kind = format.kindOf(low, high, level);
      if (kind === EntryKind.empty) return null;
      if (kind === EntryKind.table) {
        words = this.#memory.frameWords(entryAddress(low, high));
        continue;
      }
      const items = 2 ** format.itemsLg2(low, high, level);
      const firstSlot = Math.floor(slot / items) * items;
      const units = items * span;
      return { words, at: firstSlot * 2, items, firstUnit: Math.floor(unit / units) * units, units };
    }
    return null;
  }
}

function isDirty({ words, at, items }: Leaf): boolean {
  for (let item = 0; item < items; item += 1) {
    if (((words[at + item * WORDS_PER_ENTRY] ?? 0) & DIRTY) !== 0) return true;
  }
  return false;
}

function clean({ words, at, items }: Leaf): void {
  for (let item = 0; item < items; item += 1) {
    const word = at + item * WORDS_PER_ENTRY;
    words[word] = ((words[word] ?? 0) & ~DIRTY) >>> 0;
  }
}
