// QiBatch: collects descriptors of one flush so that up to 16 of them share one wait.
// Source followed: drivers/iommu/intel/cache.c, struct qi_batch and qi_batch_flush_descs().
// Simplified: one batch per unit instead of one per domain, because the model runs one flush at a time.

import { DESCRIPTOR_WORDS } from './qi-descriptor.ts';
import type { QiQueue } from './qi-queue.ts';

/** Descriptors a batch holds (QI_MAX_BATCHED_DESC_COUNT). */
const BATCH_LENGTH = 16;

/**
 * Descriptors waiting to be submitted together.
 * @internal
 */
export class QiBatch {
  readonly words: Uint32Array = new Uint32Array(BATCH_LENGTH * DESCRIPTOR_WORDS);
  readonly #queue: QiQueue;
  #count = 0;

  constructor(queue: QiQueue) {
    this.#queue = queue;
  }

  /** Where the next descriptor is to be written in {@link QiBatch.words}. */
  get next(): number {
    return this.#count * DESCRIPTOR_WORDS;
  }

  /** Counts the descriptor written at {@link QiBatch.next}; submits when the batch is full. */
  added(): void {
    this.#count += 1;
    if (this.#count === BATCH_LENGTH) this.flush();
  }

  /** Submits what has been collected, if anything. */
  flush(): void {
    if (this.#count === 0) return;
    const count = this.#count;
    this.#count = 0;
    this.#queue.submit(this.words, count);
  }
}
