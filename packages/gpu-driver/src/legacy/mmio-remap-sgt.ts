// The table of the page of registers that others may ring: one entry with a DMA address and no page.
// Source followed: amdgpu_ttm_mmio_remap_alloc_sgt and amdgpu_ttm_mmio_remap_free_sgt (amdgpu_ttm.c).
// Kept from Linux: the entry is mapped by dma_map_resource and looks like an ordinary one.
// Simplified: none.

import { type Device, type DmaDataDirection, dmaUnmapResource } from '@sgfree/dma-core';
import { type SgTable, sgFreeTable } from '@sgfree/dma-sg';
import { dmaAddr } from '@sgfree/hw-model';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import type { GpuCard } from '../card/gpu-card.ts';
import type { MmioRemapResource } from '../memory/gpu-resource.ts';
import { pagelessSgt } from './vram-sgt.ts';

/** The page for `dev`. -EINVAL for a card without, -ENOMEM. @internal */
export function mmioRemapSgt(
  card: GpuCard,
  { bytes }: MmioRemapResource,
  dev: Device,
  dir: DmaDataDirection,
): Outcome<SgTable> {
  const phys = card.remapPage;
  return phys === null ? failure(Errno.EINVAL) : pagelessSgt(card, [{ phys, bytes }], dev, dir);
}

/** Takes the table back. @internal */
export function freeMmioRemapSgt(table: SgTable, dev: Device, dir: DmaDataDirection): void {
  const address = dmaAddr(table.list.dmaAddress[0] ?? 0);
  dmaUnmapResource(dev, address, table.list.dmaLength[0] ?? 0, dir, { skipCpuSync: true });
  sgFreeTable(table);
}
