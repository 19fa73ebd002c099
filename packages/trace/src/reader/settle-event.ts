// What an event must agree with in itself once its fields are read, and what follows from them.
// Source followed: the print formats: the second address of an I/O range is the first plus the size; dma_map_sg prints
// how many entries its lists hold; tags of an IOMMU's own caches name the unit as their device.
// Simplified: a line that disagrees with itself is not used, whichever of its numbers is the wrong one.

import type { TraceEvent } from '../trace-event.ts';
import { type ByteCursor, failures, NUMBER_LIMIT } from './byte-cursor.ts';
import type { TraceFormat } from './trace-formats.ts';

/** Judges one event; `taken` are the parts of its format that the line has, a bit each. */
export type Settle = (event: TraceEvent, cursor: ByteCursor, taken: number) => void;

function settleRange(event: TraceEvent, cursor: ByteCursor): void {
  if (event.dmaAddr < 0 || event.dmaAddr + event.size !== cursor.rangeEnd) cursor.fail(failures.inconsistent);
}

function settleBounds(event: TraceEvent, cursor: ByteCursor): void {
  const { dmaAddr, physAddr, size } = event;
  if (dmaAddr + size > NUMBER_LIMIT || physAddr + size > NUMBER_LIMIT) cursor.fail(failures.absurd);
}

function settleLists(event: TraceEvent, cursor: ByteCursor, taken: number): void {
  const { dmaAddrs, sizes, physAddrs } = event;
  if (dmaAddrs.length !== sizes.length) cursor.fail(failures.inconsistent);
  for (let index = 0; index < sizes.length; index += 1) {
    if ((dmaAddrs[index] as number) + (sizes[index] as number) > NUMBER_LIMIT) cursor.fail(failures.absurd);
  }
  if (taken & 1) {
    const { nents, ents, fullNents, fullEnts } = event;
    const shown = nents === physAddrs.length && ents === dmaAddrs.length;
    if (!shown || nents > fullNents || ents > fullEnts) cursor.fail(failures.inconsistent);
  } else {
    event.nents = physAddrs.length;
    event.fullNents = physAddrs.length;
    event.ents = dmaAddrs.length;
    event.fullEnts = dmaAddrs.length;
  }
}

/** Lists without counts: of allocations, where the first part of the format is another. */
function settleFullLists(event: TraceEvent, cursor: ByteCursor): void {
  settleLists(event, cursor, 0);
}

function settleUnit(event: TraceEvent): void {
  if (event.device === event.unit) event.device = '';
}

/** What is to be judged on events of a format. */
export function settlesOf({ system, text }: TraceFormat): readonly Settle[] {
  const settles: Settle[] = [];
  if (text.includes('{size}')) settles.push(settleBounds);
  if (text.includes('{rangeEnd}')) settles.push(settleRange);
  if (text.includes('{fullNents}')) settles.push(settleLists);
  else if (/\{(?:dma|phys)Addrs\}/.test(text)) settles.push(settleFullLists);
  if (system === 'intel_iommu') settles.push(settleUnit);
  return settles;
}
