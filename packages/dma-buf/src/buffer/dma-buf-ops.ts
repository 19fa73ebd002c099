// DmaBufOps: what an exporter does for its buffers, and DmaBufAttachOps: what an importer wants to be told.
// Source followed: include/linux/dma-buf.h (struct dma_buf_ops, struct dma_buf_attach_ops).
// What a mapping is stays open here: the scatterlist one is behind the `sgt` entry.
// Simplified: callbacks may sleep where the kernel's may; errors are negative errnos as in the kernel.

import type { DmaDataDirection } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type { DmaBuf } from './dma-buf.ts';
import type { DmaBufAttachment } from './dma-buf-attachment.ts';

/**
 * Kernel memory that shows a buffer; its shape is the exporter's business.
 * @kernel iosys_map
 * @public
 */
export type IosysMap = object;

/**
 * A range of user memory that a buffer is to appear in.
 * @public
 */
export interface MmapRequest {
  /** First page of the buffer. */
  readonly pageOffset: number;
  readonly pages: number;
}

/**
 * What every exporter does, whichever way its memory is mapped. Held = the caller holds the reservation lock.
 * @public
 */
export interface DmaBufCommonOps<Mapping> {
  /** Not held. May refuse, and may clear `peer2peer`. 0 or a negative errno. */
  attach?(dmabuf: DmaBuf<Mapping>, attach: DmaBufAttachment<Mapping>): ModelTask<number>;
  /** Not held. */
  detach?(dmabuf: DmaBuf<Mapping>, attach: DmaBufAttachment<Mapping>): ModelTask<void>;
  /** Held. Keeps the memory where it is. Together with `unpin` or not at all. 0 or a negative errno. */
  pin?(attach: DmaBufAttachment<Mapping>): ModelTask<number>;
  /** Held. */
  unpin?(attach: DmaBufAttachment<Mapping>): ModelTask<void>;
  /** Not held. The last reference of the buffer has gone. */
  release(dmabuf: DmaBuf<Mapping>): ModelTask<void>;
  /** Not held. 0 or a negative errno. */
  beginCpuAccess?(dmabuf: DmaBuf<Mapping>, dir: DmaDataDirection): ModelTask<number>;
  /** Not held. 0 or a negative errno. */
  endCpuAccess?(dmabuf: DmaBuf<Mapping>, dir: DmaDataDirection): ModelTask<number>;
  /** Not held. 0 or a negative errno. */
  mmap?(dmabuf: DmaBuf<Mapping>, request: MmapRequest): ModelTask<number>;
  /** Held. */
  vmap?(dmabuf: DmaBuf<Mapping>): ModelTask<Outcome<IosysMap>>;
  /** Held. */
  vunmap?(dmabuf: DmaBuf<Mapping>, map: IosysMap): ModelTask<void>;
}

/**
 * Operations of an exporter whose mappings are `Mapping`s, made and undone by the pair that mapping types replace.
 * @kernel dma_buf_ops
 * @public
 */
export interface DmaBufOps<Mapping> extends DmaBufCommonOps<Mapping> {
  /** Held. Null counts as -ENOMEM. */
  mapDmaBuf(attach: DmaBufAttachment<Mapping>, dir: DmaDataDirection): ModelTask<Outcome<Mapping | null>>;
  /** Held. */
  unmapDmaBuf(attach: DmaBufAttachment<Mapping>, mapping: Mapping, dir: DmaDataDirection): ModelTask<void>;
}

/**
 * What a dynamic importer brings.
 * @kernel dma_buf_attach_ops
 * @public
 */
export interface DmaBufAttachOps<Mapping> {
  /** The importer can use a peer's memory without struct page. */
  readonly allowPeer2peer: boolean;
  /**
   * Held. The importer's mappings are about to lose their meaning: it starts no new access, adds fences for those it
   * cannot stop, and unmaps within bounded time. It must not take the lock.
   */
  invalidateMappings?(attach: DmaBufAttachment<Mapping>): ModelTask<void>;
}
