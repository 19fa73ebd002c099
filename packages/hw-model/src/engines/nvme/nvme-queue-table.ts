// NvmeQueueTable: the queues of a controller by identifier, and what happens to all of them on reset.
// Source followed: NVM Express Base Specification 2.0, sections 3.3.1 and 3.7.2 (controller reset).
// Simplified: identifiers 0 (admin) to 63.

import type { NvmeCompletionQueue, NvmeSubmissionQueue } from './nvme-queue.ts';

/** Highest I/O queue identifier. @internal */
export const NVME_MAX_QUEUE_ID = 63;

/**
 * Submission and completion queues by identifier.
 * @internal
 */
export class NvmeQueueTable {
  readonly submission: Map<number, NvmeSubmissionQueue> = new Map();
  readonly completion: Map<number, NvmeCompletionQueue> = new Map();

  addCompletion(queue: NvmeCompletionQueue): NvmeCompletionQueue {
    this.completion.set(queue.id, queue);
    return queue;
  }

  addSubmission(queue: NvmeSubmissionQueue): void {
    this.submission.set(queue.id, queue);
  }

  /** True when some submission queue completes into `queue`. */
  used(queue: NvmeCompletionQueue): boolean {
    return [...this.submission.values()].some((submission) => submission.completions === queue);
  }

  /** Forgets all queues; tasks that still hold one see it dead. */
  clear(): void {
    for (const queue of this.submission.values()) queue.live = false;
    for (const queue of this.completion.values()) queue.live = false;
    this.submission.clear();
    this.completion.clear();
  }
}
