// The table of an object in VRAM: entries that carry a DMA address and no page.
// Source followed: amdgpu_vram_mgr_alloc_sgt, amdgpu_vram_mgr_free_sgt (amdgpu_vram_mgr.c); xe_ttm_vram_mgr_alloc_sgt.
// Kept from Linux: every piece goes through dma_map_resource, also where the peer stands below the same switch and a bus
// address would do; orig_nents is not cleared, so that the entries look like ordinary ones.
// Simplified: none.

import { type Device, type DmaDataDirection, dmaMapResource, dmaUnmapResource } from '@sgfree/dma-core';
import { NO_PAGE, SG_ENTRY_BYTES, SgTable, sgAllocTable, sgFreeTable, sgSetPage } from '@sgfree/dma-sg';
import { dmaAddr, type PhysAddr } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { GpuCard } from '../card/gpu-card.ts';
import type { VramResource } from '../memory/gpu-resource.ts';
import { vramPieces } from '../memory/vram-cursor.ts';

/** The longest entry: 2 GiB. */
const MOST_ENTRY_BYTES = 2 ** 31;

/** An object in VRAM for `dev`. -ENOMEM; nothing stays mapped then. @internal */
export function vramSgt(
  card: GpuCard,
  resource: VramResource,
  dev: Device,
  dir: DmaDataDirection,
): Outcome<SgTable> {
  const pieces = [...vramPieces(resource, 0, resource.bytes, MOST_ENTRY_BYTES)];
  const ranges = pieces.map(({ offset, bytes }) => ({ phys: card.vramPhys(offset), bytes }));
  return pagelessSgt(card, ranges, dev, dir);
}

/** A range of the card's BARs. @internal */
export interface BarRange {
  readonly phys: PhysAddr;
  readonly bytes: number;
}

/** One entry without a page for each range. -ENOMEM; nothing stays mapped then. @internal */
export function pagelessSgt(
  card: GpuCard,
  ranges: readonly BarRange[],
  dev: Device,
  dir: DmaDataDirection,
): Outcome<SgTable> {
  const table = new SgTable(dev.platform.frames);
  if (!card.dmaBufs.allocate(ranges.length * SG_ENTRY_BYTES) || sgAllocTable(table, ranges.length) !== 0)
    return failure(Errno.ENOMEM);
  for (const [sg, { phys, bytes }] of ranges.entries()) {
    const address = dmaMapResource(dev, phys, bytes, dir, { skipCpuSync: true });
    if (address === -1) {
      unmapEntries(table, sg, dev, dir);
      sgFreeTable(table);
      return failure(Errno.ENOMEM);
    }
    sgSetPage(table.list, sg, NO_PAGE, bytes, 0);
    table.list.dmaAddress[sg] = address;
    table.list.dmaLength[sg] = bytes;
  }
  return success(table);
}

/** Takes a table back. @internal */
export function freeVramSgt(table: SgTable, dev: Device, dir: DmaDataDirection): void {
  unmapEntries(table, table.segmentCount, dev, dir);
  sgFreeTable(table);
}

function unmapEntries({ list }: SgTable, count: number, dev: Device, dir: DmaDataDirection): void {
  for (let sg = 0; sg < count; sg += 1) {
    const address = dmaAddr(list.dmaAddress[sg] ?? 0);
    dmaUnmapResource(dev, address, list.length[sg] ?? 0, dir, { skipCpuSync: true });
  }
}
