// What backed the buffers of a recorded list: 4 KiB pages or 2 MiB huge pages. The records do not say; the block layer
// cares, because it joins neighbouring pages only inside one huge page.
// Source followed: vectors/kernel/README.md, rules for nvio records.
// The rule, in this order: (1) a junction of two neighbouring pages of one iovec that lies inside a 2 MiB frame of
// memory and is not contiguous proves 4 KiB pages; (2) a file whose name says nvio_huge or nvio_small or nvio_wide is
// what its name says; (3) at least 512 junctions, all contiguous (more than one huge page of evidence): huge pages;
// (4) otherwise 4 KiB pages.
// Simplified: one answer per list; mixed lists count as 4 KiB pages.

import { addOffset, alignDown } from '@sgfree/hw-model';
import type { IoRecord, MemoryPiece, PageBacking } from './io-record.ts';

const HUGE_PAGE_BYTES = 2 * 1024 * 1024;
const MOST_EVIDENCE = 512;

/**
 * The answer and why.
 * @public
 */
export interface BackingGuess {
  readonly backing: PageBacking;
  readonly reason: string;
}

interface Junctions {
  contiguous: number;
  brokenInsideHugePage: number;
}

/**
 * Guesses the backing of a list read from a file of this name.
 * @public
 */
export function guessBacking(file: string, ios: readonly IoRecord[]): BackingGuess {
  const { contiguous, brokenInsideHugePage } = countJunctions(ios);
  if (brokenInsideHugePage > 0) {
    const reason = `${brokenInsideHugePage} page junctions inside a 2 MiB frame are not contiguous`;
    return { backing: 'base-pages', reason };
  }
  const named = /(?:^|[/\\])nvio_(huge|small|wide)\b/.exec(file)?.[1];
  if (named !== undefined) {
    return {
      backing: named === 'huge' ? 'huge-pages' : 'base-pages',
      reason: `the file is named nvio_${named}`,
    };
  }
  if (contiguous >= MOST_EVIDENCE) {
    return { backing: 'huge-pages', reason: `all ${contiguous} page junctions are contiguous` };
  }
  return { backing: 'base-pages', reason: 'too little evidence of huge pages' };
}

function countJunctions(ios: readonly IoRecord[]): Junctions {
  const junctions: Junctions = { contiguous: 0, brokenInsideHugePage: 0 };
  for (const io of ios) {
    for (const pieces of io.iovecs) {
      for (let index = 1; index < pieces.length; index += 1) {
        countJunction(pieces[index - 1] as MemoryPiece, pieces[index] as MemoryPiece, junctions);
      }
    }
  }
  return junctions;
}

function countJunction(before: MemoryPiece, after: MemoryPiece, junctions: Junctions): void {
  const end = addOffset(before.phys, before.bytes);
  if (end === after.phys) junctions.contiguous += 1;
  // Two huge pages may lie anywhere, but one ends and the other starts at a multiple of 2 MiB.
  else if (!onHugeBoundary(end) || !onHugeBoundary(after.phys)) junctions.brokenInsideHugePage += 1;
}

const onHugeBoundary = (address: number): boolean => alignDown(address, HUGE_PAGE_BYTES) === address;
