// SgArrayAllocator: where the arrays of a scatterlist come from, and what they cost.
// Source followed: lib/scatterlist.c (sg_kmalloc, sg_kfree, sg_alloc_fn), lib/sg_pool.c, kmalloc size classes.
// Simplified: only sizes are handed out; the entries live in the Scatterlist.

import { PAGE_SIZE } from '@sgfree/hw-model';

/**
 * Gives and takes back arrays of scatterlist entries.
 * @public
 */
export interface SgArrayAllocator {
  /** False: no memory for an array of `entries`. */
  allocArray(entries: number): boolean;
  freeArray(entries: number): void;
}

/**
 * Allocator that counts live bytes as the kernel's heap would hold them and can be made to fail.
 * @public
 */
export class SgHeap implements SgArrayAllocator {
  /** Bytes of one entry: 32 with NEED_SG_DMA_LENGTH (x86-64), 24 without. */
  readonly entryBytes: number;
  /** Bytes held now, rounded as kmalloc rounds. */
  liveBytes = 0;
  /** Arrays held now. */
  liveArrays = 0;
  /** Allocations still allowed before one fails, -1 = never. */
  failAfter = -1;

  constructor(entryBytes = 32) {
    this.entryBytes = entryBytes;
  }

  allocArray(entries: number): boolean {
    if (this.failAfter === 0) return false;
    if (this.failAfter > 0) this.failAfter -= 1;
    this.liveArrays += 1;
    this.liveBytes += kmallocSize(entries * this.entryBytes);
    return true;
  }

  freeArray(entries: number): void {
    this.liveArrays -= 1;
    this.liveBytes -= kmallocSize(entries * this.entryBytes);
  }
}

/**
 * Bytes that kmalloc takes for a request: the size classes 8 to 8192 with 96 and 192, pages above.
 * @public
 */
export function kmallocSize(bytes: number): number {
  if (bytes > 2 * PAGE_SIZE) return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
  if (bytes > 64 && bytes <= 96) return 96;
  if (bytes > 128 && bytes <= 192) return 192;
  return bytes <= 8 ? 8 : 1 << (32 - Math.clz32(bytes - 1));
}
