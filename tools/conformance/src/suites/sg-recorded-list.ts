// Recorded scatterlists: building a list from the entries of a record, and reading lists back.
// Field meanings: `in` of the mapping records, `[pfn, offset, length]`; frames are numbers or hex strings.
// Simplified: one array per list; chaining has suites of its own.

import { SgTable, sgInitTable, sgSetPage } from '@sgfree/dma-sg';
import { addOffset, dmaAddr, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { iommuIovaToPhys, type PagingDomain } from '@sgfree/iommu';
import { listOf, type Reader, tupleOf, word } from '../recorded-value.ts';

/** One entry of a list: page frame, offset, bytes. */
export type RecordedEntry = readonly [pfn: number, offset: number, bytes: number];

/** A list of entries whose page frames are written in one way. */
export const recordedEntries = (frame: Reader<number>): Reader<RecordedEntry[]> =>
  listOf(tupleOf(frame, word, word));

/** A table of these entries. */
export function tableOf(entries: readonly RecordedEntry[]): SgTable {
  const table = new SgTable();
  sgInitTable(table.list, entries.length);
  table.segmentCount = entries.length;
  for (const [sg, [pfn, offset, bytes]] of entries.entries()) {
    sgSetPage(table.list, sg, pfn, bytes, offset);
  }
  return table;
}

/** Index of the first entry that no longer is what it was, or -1. */
export function firstChangedEntry(table: SgTable, entries: readonly RecordedEntry[]): number {
  const { pageFrame, offset, length } = table.list;
  return entries.findIndex(
    ([pfn, start, bytes], sg) => pageFrame[sg] !== pfn || offset[sg] !== start || length[sg] !== bytes,
  );
}

/** One DMA segment: address, bytes, and whether no IOMMU translates it. */
export interface MappedSegment {
  readonly address: number;
  readonly bytes: number;
  readonly isBus: boolean;
}

/**
 * Follows the bytes of the entries through the segments, in order: at both ends of every piece the page table must
 * lead to the entry's own memory. Bus segments hold the entries that `busOffset` moved. Returns the index of the first
 * entry that is not reached, or -1.
 */
export function firstUnreachedEntry(
  domain: PagingDomain,
  segments: readonly MappedSegment[],
  entries: readonly RecordedEntry[],
  busOffset: number,
): number {
  let segment = 0;
  let used = 0;
  for (const [index, [pfn, offset, bytes]] of entries.entries()) {
    const start = physAddr(pfn * 4096 + offset);
    for (let done = 0; done < bytes; ) {
      const at = segments[segment];
      if (at === undefined) return index;
      const piece = Math.min(bytes - done, at.bytes - used);
      if (!pieceLeadsTo(domain, at, used, piece, addOffset(start, done), busOffset)) return index;
      done += piece;
      used += piece;
      if (used === at.bytes) {
        segment += 1;
        used = 0;
      }
    }
  }
  return segment === segments.length ? -1 : entries.length;
}

function pieceLeadsTo(
  domain: PagingDomain,
  segment: MappedSegment,
  used: number,
  bytes: number,
  phys: PhysAddr,
  busOffset: number,
): boolean {
  if (bytes <= 0) return false;
  const address = dmaAddr(segment.address + used);
  if (segment.isBus) return address === addOffset(dmaAddr(phys), busOffset);
  const last = bytes - 1;
  return (
    iommuIovaToPhys(domain, address) === phys &&
    iommuIovaToPhys(domain, addOffset(address, last)) === addOffset(phys, last)
  );
}
