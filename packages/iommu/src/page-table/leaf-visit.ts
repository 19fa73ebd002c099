// LeafVisit: reads the leaves of a page table in ascending order of address, as a debugger or a record does.
// Source followed: the kernel has no such walk in its hot paths; debugfs and the test modules print what it finds.
// Simplified: what is read is the state in memory at the time of the visit.

import { itemFrames } from './frame-bits.ts';
import { EntryKind, entryAddress } from './page-table-format.ts';
import type { TableTree } from './table-tree.ts';

const WORDS = 1024;

/**
 * Called for each leaf: its first address frame, raw entry words, level, the equal entries it is made of and the
 * first physical frame it leads to.
 * @public
 */
export type LeafVisitor = (
  frame: number,
  low: number,
  high: number,
  level: number,
  items: number,
  physFrame: number,
) => void;

/**
 * Visits the leaves of a tree that overlap frames `first` to `last`.
 * @internal
 */
export function visitTreeLeaves(tree: TableTree, first: number, last: number, visit: LeafVisitor): void {
  visitTable(tree, tree.rootWords, tree.topLevel, first, last, visit);
}

function visitTable(
  tree: TableTree,
  words: Uint32Array,
  level: number,
  first: number,
  last: number,
  visit: LeafVisitor,
): void {
  const { format, memory } = tree;
  const item = itemFrames(level);
  const base = tree.tableBase(first, level);
  const end = Math.min(WORDS, (Math.floor((last - base) / item) + 1) * 2);
  for (let slot = Math.floor((first - base) / item) * 2; slot < end; ) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    const kind = format.kindOf(low, high, level);
    const from = base + (slot / 2) * item;
    let items = 1;
    if (kind === EntryKind.leaf) {
      items = 1 << format.itemsLg2(low, high, level);
      const size = item * items;
      const start = Math.floor(from / size) * size;
      visit(start, low, high, level, items, format.leafFrame(low, high, level));
      slot = ((start + size - base) / item) * 2;
      continue;
    }
    if (kind === EntryKind.table) {
      const below = memory.frameWords(entryAddress(low, high));
      visitTable(tree, below, level - 1, Math.max(first, from), Math.min(last, from + item - 1), visit);
    }
    slot += 2;
  }
}
