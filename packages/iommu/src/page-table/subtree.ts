// Subtree: what lies below one table entry, looked at as a whole.
// Source followed: drivers/iommu/generic_pt/iommu_pt.h, __collect_tables().
// Simplified: recursion over at most five levels.

import { EntryKind, entryAddress } from './page-table-format.ts';
import type { TableTree } from './table-tree.ts';

const WORDS = 1024;

/**
 * True when a leaf lies in a table of `level` or below it.
 * @internal
 */
export function holdsLeaf(tree: TableTree, words: Uint32Array, level: number): boolean {
  for (let slot = 0; slot < WORDS; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    const kind = tree.format.kindOf(low, high, level);
    if (kind === EntryKind.leaf) return true;
    if (kind === EntryKind.empty) continue;
    if (holdsLeaf(tree, tree.memory.frameWords(entryAddress(low, high)), level - 1)) return true;
  }
  return false;
}

/**
 * Appends the page frames of all tables below a table of `level` to `frames` and counts them out of the tree.
 * @internal
 */
export function collectTables(tree: TableTree, words: Uint32Array, level: number, frames: number[]): void {
  if (level === 0) return;
  for (let slot = 0; slot < WORDS; slot += 2) {
    const low = words[slot] as number;
    const high = words[slot + 1] as number;
    if (tree.format.kindOf(low, high, level) !== EntryKind.table) continue;
    const frame = entryAddress(low, high);
    frames.push(frame);
    tree.noteGone(level - 1);
    collectTables(tree, tree.memory.frameWords(frame), level - 1, frames);
  }
}
