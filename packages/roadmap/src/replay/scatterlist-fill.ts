// A scatterlist made from the pieces of a mapping.
// Source followed: include/linux/scatterlist.h (sg_init_table, sg_set_page); lengths are 32-bit.
// Simplified: one entry for each contiguous piece, cut where its length would not fit.

import { type Scatterlist, sgInitTable, sgSetPage } from '@sgfree/dma-sg';
import { offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { LONGEST_ENTRY, type ReplayMapping } from './replay-mapping.ts';

/** Starts `list` over with the pieces of `mapping`. */
export function fillScatterlist(list: Scatterlist, { phys, bytes }: ReplayMapping): void {
  let entries = 0;
  for (let piece = 0; piece < phys.length; piece += 1) {
    entries += entriesOf(phys[piece] as number, bytes[piece] as number);
  }
  sgInitTable(list, entries);
  let entry = 0;
  for (let piece = 0; piece < phys.length; piece += 1) {
    entry = addPiece(list, entry, phys[piece] as number, bytes[piece] as number);
  }
}

function entriesOf(phys: number, bytes: number): number {
  return bytes <= LONGEST_ENTRY ? 1 : Math.ceil((offsetWithin(phys, PAGE_SIZE) + bytes) / LONGEST_ENTRY);
}

/** Sets the entries of one piece; answers the entry after them. */
function addPiece(list: Scatterlist, first: number, phys: number, bytes: number): number {
  let entry = first;
  let frame = Math.floor(phys / PAGE_SIZE);
  let offset = phys - frame * PAGE_SIZE;
  for (let left = bytes; left > 0; entry += 1) {
    const length = Math.min(left, LONGEST_ENTRY - offset);
    sgSetPage(list, entry, frame, length, offset);
    left -= length;
    frame += LONGEST_ENTRY / PAGE_SIZE;
    offset = 0;
  }
  return entry;
}
