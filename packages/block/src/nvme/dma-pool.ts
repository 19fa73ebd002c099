// DmaPool: small blocks cut from coherent pages, for the lists that a command points to.
// Source followed: mm/dmapool.c (dma_pool_alloc, dma_pool_free): pages are taken one at a time, cut into blocks, and
// kept until the pool is destroyed; the block freed last is handed out first.
// Simplified: no alignment beyond the block size; no per-node pools.

import { addOffset, type DmaAddr, type PhysAddr } from '@sgfree/hw-model';

/**
 * Memory that CPU and device see alike, as `dma_alloc_coherent` returns it.
 * @public
 */
export interface CoherentBlock {
  readonly phys: PhysAddr;
  readonly dma: DmaAddr;
  readonly bytes: number;
}

/**
 * Where coherent memory comes from; null = none left.
 * @public
 */
export interface CoherentSource {
  alloc(bytes: number): CoherentBlock | null;
  free(block: CoherentBlock): void;
}

const POOL_PAGE_BYTES = 4096;

/**
 * A pool of equal blocks.
 * @public
 */
export class DmaPool {
  readonly blockBytes: number;
  /** Blocks handed out and not yet returned. */
  liveBlocks = 0;
  readonly #source: CoherentSource;
  readonly #pages: CoherentBlock[] = [];
  #free: CoherentBlock[] = [];

  constructor(source: CoherentSource, blockBytes: number) {
    this.#source = source;
    this.blockBytes = blockBytes;
  }

  /** Pages the pool holds. */
  get pages(): number {
    return this.#pages.length;
  }

  /** A block, its old content still in it; null when no page could be had. */
  alloc(): CoherentBlock | null {
    if (this.#free.length === 0 && !this.#grow()) return null;
    this.liveBlocks += 1;
    return this.#free.pop() ?? null;
  }

  free(block: CoherentBlock): void {
    this.liveBlocks -= 1;
    this.#free.push(block);
  }

  /** Returns all pages; every block must have come back. */
  destroy(): void {
    for (const page of this.#pages) this.#source.free(page);
    this.#pages.length = 0;
    this.#free = [];
  }

  #grow(): boolean {
    const page = this.#source.alloc(POOL_PAGE_BYTES);
    if (page === null) return false;
    this.#pages.push(page);
    for (let at = POOL_PAGE_BYTES - this.blockBytes; at >= 0; at -= this.blockBytes) {
      const phys = addOffset(page.phys, at);
      this.#free.push({ phys, dma: addOffset(page.dma, at), bytes: this.blockBytes });
    }
    return true;
  }
}
