// The table of an object in system memory: one entry for each run of pages, mapped for the importer.
// Source followed: drm_prime_pages_to_sg with dma_map_sgtable(DMA_ATTR_SKIP_CPU_SYNC) in amdgpu_dma_buf_map and xe_dma_buf_map.
// Kept from Linux: whatever failed in the mapping, the importer is told -EBUSY; it is unmapped without the attribute it was mapped with.
// Simplified: runs are joined up to the device's longest segment.

import type { Device, DmaDataDirection } from '@sgfree/dma-core';
import {
  dmaMapSgtable,
  dmaUnmapSgtable,
  SG_ENTRY_BYTES,
  SgTable,
  sgAllocTable,
  sgFreeTable,
  sgSetPage,
} from '@sgfree/dma-sg';
import { PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { GpuCard } from '../card/gpu-card.ts';
import type { SystemResource } from '../memory/gpu-resource.ts';

/** Mapped pages of `resource` for `dev`. -ENOMEM, -EBUSY. @internal */
export function systemSgt(
  card: GpuCard,
  resource: SystemResource,
  dev: Device,
  dir: DmaDataDirection,
): Outcome<SgTable> {
  const runs = runsOf(resource.frames, dev.maxSegmentSize);
  const table = new SgTable(dev.platform.frames);
  if (!card.dmaBufs.allocate(runs.length * SG_ENTRY_BYTES) || sgAllocTable(table, runs.length) !== 0)
    return failure(Errno.ENOMEM);
  for (const [sg, { frame, pages }] of runs.entries()) sgSetPage(table.list, sg, frame, pages * PAGE_SIZE, 0);
  if (dmaMapSgtable(dev, table, dir, { skipCpuSync: true }) === 0) return success(table);
  sgFreeTable(table);
  return failure(Errno.EBUSY);
}

/** Takes a table back, the way the drivers do: with no attribute. @internal */
export function freeSystemSgt(table: SgTable, dev: Device, dir: DmaDataDirection): void {
  dmaUnmapSgtable(dev, table, dir, {});
  sgFreeTable(table);
}

function runsOf(frames: Float64Array, mostBytes: number): { frame: number; pages: number }[] {
  const runs: { frame: number; pages: number }[] = [];
  const most = Math.max(1, Math.floor(mostBytes / PAGE_SIZE));
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last !== undefined && last.pages < most && last.frame + last.pages === frame) last.pages += 1;
    else runs.push({ frame, pages: 1 });
  }
  return runs;
}
