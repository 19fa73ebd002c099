// Where an object's bytes lie, as physical ranges: what an exporter hands to the core instead of a list of pages.
// Source followed: the table of conversions (cursor to phys_vec array, folios to phys_vec array); no range is cut at 2 GiB.
// Simplified: none.

import type { PhysVec } from '@sgfree/dma-buf';
import { PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import type { GpuCard } from '../card/gpu-card.ts';
import type { SystemResource, VramResource } from '../memory/gpu-resource.ts';

/** A block after the other, as the BAR shows them; neighbours are joined. @internal */
export function vramRanges(card: GpuCard, { blocks }: VramResource): PhysVec[] {
  const joined: { offset: number; bytes: number }[] = [];
  for (const { offset, bytes } of blocks) {
    const last = joined.at(-1);
    if (last !== undefined && last.offset + last.bytes === offset) last.bytes += bytes;
    else joined.push({ offset, bytes });
  }
  return joined.map(({ offset, bytes }) => ({ paddr: card.vramPhys(offset), len: bytes }));
}

/** One range for each run of pages. @internal */
export function pageRanges({ frames }: SystemResource): PhysVec[] {
  const runs: { frame: number; pages: number }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last !== undefined && last.frame + last.pages === frame) last.pages += 1;
    else runs.push({ frame, pages: 1 });
  }
  return runs.map(({ frame, pages }) => ({ paddr: physOfFrame(frame), len: pages * PAGE_SIZE }));
}
