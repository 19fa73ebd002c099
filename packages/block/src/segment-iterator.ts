// SegmentIterator: walks a request's bio_vecs and hands out what the DMA layer maps in one call.
// Source followed: block/blk-mq-dma.c (blk_map_iter_next): neighbouring bio_vecs that touch are joined up to the
// largest segment and never across the segment boundary.
// Simplified: physically adjacent is mergeable (no Xen, no KMSAN, one pagemap per request).

import { addOffset } from '@sgfree/hw-model';
import type { BioVec } from './bio-vec.ts';
import type { BlockRequest } from './block-request.ts';
import { maxSegmentSizeAt, type QueueLimits } from './queue-limits.ts';

/**
 * Physically contiguous runs of a request, in order.
 * @public
 */
export class SegmentIterator {
  readonly #vecs: readonly BioVec[];
  readonly #limits: QueueLimits;
  #index = 0;
  #offset = 0;

  constructor(request: BlockRequest) {
    this.#vecs = request.vecs;
    this.#limits = request.limits;
  }

  /** The next run, or null at the end. */
  next(): BioVec | null {
    const first = this.#vecs[this.#index];
    if (first === undefined) return null;
    const phys = addOffset(first.phys, this.#offset);
    const most = maxSegmentSizeAt(this.#limits, phys);
    let bytes = this.#take(first, most);
    for (let vec = this.#vecs[this.#index]; vec !== undefined; vec = this.#vecs[this.#index]) {
      const adjoins = this.#offset === 0 && addOffset(phys, bytes) === vec.phys;
      if (!adjoins || bytes + vec.bytes > most) break;
      bytes += this.#take(vec, vec.bytes);
    }
    return { phys, bytes };
  }

  #take(vec: BioVec, most: number): number {
    const bytes = Math.min(vec.bytes - this.#offset, most);
    this.#offset += bytes;
    if (this.#offset === vec.bytes) {
      this.#index += 1;
      this.#offset = 0;
    }
    return bytes;
  }
}
