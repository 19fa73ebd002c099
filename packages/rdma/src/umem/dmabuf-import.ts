// DmabufImport: how a stage gets DMA ranges out of a dma-buf mapping, whatever the mapping is.
// Source followed: our own cut of drivers/infiniband/core/umem_dmabuf.c, so that what knows of scatterlists stays outside.
// Simplified: none.

import type { DmaBuf, DmaBufAttachment, DmaBufAttachOps } from '@sgfree/dma-buf';
import type { Device, DmaDataDirection } from '@sgfree/dma-core';
import { addOffset, type ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';

/**
 * The part of a mapping that lies in a window of the buffer.
 * @public
 */
export interface DmabufView {
  ranges(): Iterable<DmaRange>;
  /** Puts back what the view changed in the mapping; called before the mapping is given back. */
  close(): void;
}

/**
 * Maps attachments for RDMA. All calls but the first are made with the reservation lock held.
 * @public
 */
export interface DmabufImport<Mapping> {
  /** Attaches, without the lock. */
  attach(
    dmabuf: DmaBuf<Mapping>,
    dev: Device | null,
    ops: DmaBufAttachOps<Mapping>,
    priv: unknown,
  ): ModelTask<Outcome<DmaBufAttachment<Mapping>>>;
  map(attach: DmaBufAttachment<Mapping>, dir: DmaDataDirection): ModelTask<Outcome<Mapping>>;
  unmap(attach: DmaBufAttachment<Mapping>, mapping: Mapping, dir: DmaDataDirection): ModelTask<void>;
  /** Bytes `start` to `end` (page aligned, exclusive) of the buffer. */
  view(mapping: Mapping, start: number, end: number): DmabufView;
}

/**
 * What of `ranges` lies in bytes `start` to `end` of their sum; less when they are shorter.
 * @beta
 */
export function* windowOf(
  ranges: Iterable<DmaRange>,
  start: number,
  end: number,
): Generator<DmaRange, void, void> {
  let cur = 0;
  for (const { address, bytes } of ranges) {
    const from = Math.max(start, cur);
    const to = Math.min(end, cur + bytes);
    if (from < to) yield { address: addOffset(address, from - cur), bytes: to - from };
    cur += bytes;
    if (cur >= end) return;
  }
}
