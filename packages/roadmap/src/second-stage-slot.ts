// SecondStageSlot: where in simulated memory the leaf entry of an I/O page stands, for those who tamper with it.
// Source followed: VT-d specification 9.8 (second-stage paging entries): bits 0 and 1 permissions, bit 7 large leaf,
// bits 12 to 51 the frame below.
// Simplified: it reads tables as they are and checks no reserved bit.

import type { PhysicalMemory } from '@sgfree/hw-model';

const ENTRIES = 512;
const PERMISSIONS = 0x3;
const LARGE = 0x80;

/**
 * A leaf entry: the words of its table, live, and the index of its low word.
 * @internal
 */
export interface SecondStageSlot {
  readonly words: Uint32Array;
  readonly at: number;
}

/**
 * The leaf entry that maps I/O page `frame` below a root of `levels` levels; null when nothing does.
 * @internal
 */
export function secondStageSlot(
  memory: PhysicalMemory,
  rootFrame: number,
  levels: number,
  frame: number,
): SecondStageSlot | null {
  let table = rootFrame;
  for (let level = levels - 1; level >= 0; level -= 1) {
    const words = memory.frameWords(table);
    const page = Math.floor(frame / ENTRIES ** level);
    const at = 2 * (page - Math.floor(page / ENTRIES) * ENTRIES);
    const low = words[at] as number;
    if ((low & PERMISSIONS) === 0) return null;
    if (level === 0 || (low & LARGE) !== 0) return { words, at };
    table = frameOfSlot({ words, at });
  }
  return null;
}

/**
 * The frame an entry points to: of the page for a leaf, of the next table otherwise.
 * @internal
 */
export function frameOfSlot({ words, at }: SecondStageSlot): number {
  return ((words[at + 1] as number) & 0xfffff) * 2 ** 20 + ((words[at] as number) >>> 12);
}
