// SgPinnedPages: pinned pages and their DMA addresses in one scatterlist, as RDMA holds them until stage 4.
// Source followed: drivers/infiniband/core/umem.c (sg_alloc_append_table_from_pages, ib_dma_map_sgtable_attrs).
// Neighbouring pages become one entry across batches, up to the longest segment of the device.
// Simplified: the addresses of a device without DMA stand for the kernel's view of the pages: their physical address.

import { sgtRanges } from '@sgfree/dma-buf/sgt';
import type { Device, DmaAttrs } from '@sgfree/dma-core';
import {
  dmaMapSgtable,
  dmaUnmapSgtable,
  kmallocSize,
  SG_ENTRY_BYTES,
  SG_MAX_SEGMENT,
  SgAppendTable,
  SgTable,
  sgAllocAppendTableFromPages,
  sgFreeAppendTable,
  sgPhys,
} from '@sgfree/dma-sg';
import { dmaAddr, type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import type { Outcome, ProcessMemory } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import type { IbDevice } from '../verbs/ib-device.ts';
import { type PinnedPages, type PinnedUmem, pinUmem, UMEM_DIRECTION } from './pinned-umem.ts';

/** Pinned pages in a scatterlist. */
class SgPinnedPages implements PinnedPages {
  readonly table: SgAppendTable;
  readonly #maxSegment: number;

  constructor(device: IbDevice, mm: ProcessMemory) {
    const allocator = {
      allocArray: (entries: number) => device.allocate(kmallocSize(entries * SG_ENTRY_BYTES)),
      freeArray: () => undefined,
    };
    this.table = new SgAppendTable(new SgTable(mm.frames, allocator));
    this.#maxSegment = device.dmaDevice?.maxSegmentSize ?? SG_MAX_SEGMENT;
  }

  append(frames: Float64Array, left: number): number {
    const { length } = frames;
    return sgAllocAppendTableFromPages(
      this.table,
      frames,
      length,
      0,
      length * PAGE_SIZE,
      this.#maxSegment,
      left,
    );
  }

  map(dev: Device | null, attrs: DmaAttrs): number {
    const { sgt } = this.table;
    if (dev !== null) return dmaMapSgtable(dev, sgt, UMEM_DIRECTION, attrs);
    for (let sg = 0; sg < sgt.segmentCount; sg += 1) {
      sgt.list.dmaAddress[sg] = dmaAddr(sgPhys(sgt.list, sg));
      sgt.list.dmaLength[sg] = sgt.list.length[sg] ?? 0;
    }
    return 0;
  }

  unmap(dev: Device | null, attrs: DmaAttrs): void {
    if (dev !== null) dmaUnmapSgtable(dev, this.table.sgt, UMEM_DIRECTION, attrs);
  }

  free(): void {
    sgFreeAppendTable(this.table);
  }

  dmaRanges(): Iterable<DmaRange> {
    return sgtRanges(this.table.sgt);
  }
}

/**
 * Pins and maps user memory; the errors, in this order: -EOPNOTSUPP for a device that must bounce, -EINVAL for addresses that
 * wrap, -EPERM when the process may not lock memory, -EOPNOTSUPP for on-demand access, -ENOMEM, -EINVAL for no bytes or too
 * many, -ENOMEM beyond the limit of the process, then those of pinning and mapping.
 * @kernel ib_umem_get
 * @public
 */
export function* ibUmemGet(
  device: IbDevice,
  mm: ProcessMemory,
  addr: number,
  size: number,
  access: number,
): ModelTask<Outcome<PinnedUmem>> {
  return yield* pinUmem(device, mm, addr, size, access, () => new SgPinnedPages(device, mm));
}
