// The two halves of a queue pair as the controller sees them: ring in host memory, head, tail, phase.
// Source followed: NVM Express Base Specification 2.0, section 3.3.1 (queue model) and 3.3.3.2 (phase tag).
// Simplified: rings are physically contiguous; one priority class.

import { addOffset, type DmaAddr } from '../../addresses.ts';
import { NVME_SUBMISSION_ENTRY_BYTES } from './nvme-command.ts';

/**
 * Bytes of a completion queue entry.
 * @public
 */
export const NVME_COMPLETION_ENTRY_BYTES = 16;

/**
 * A completion queue.
 * @internal
 */
export class NvmeCompletionQueue {
  readonly id: number;
  readonly base: DmaAddr;
  readonly entries: number;
  /** Interrupt vector, or -1 when the host asked for none. */
  readonly vector: number;
  /** False once deleted or reset: nothing may be posted any more. */
  live = true;
  /** True while an entry is on its way to host memory. */
  posting = false;
  /** Next slot the host will consume; moved by the doorbell. */
  head = 0;
  #tail = 0;
  #phase = 1;

  constructor(id: number, base: DmaAddr, entries: number, vector: number) {
    this.id = id;
    this.base = base;
    this.entries = entries;
    this.vector = vector;
  }

  get full(): boolean {
    return (this.#tail + 1) % this.entries === this.head;
  }

  /** The phase tag of the next entry: inverted on every pass through the ring. */
  get phase(): number {
    return this.#phase;
  }

  get nextSlot(): DmaAddr {
    return addOffset(this.base, this.#tail * NVME_COMPLETION_ENTRY_BYTES);
  }

  advance(): void {
    this.#tail += 1;
    if (this.#tail < this.entries) return;
    this.#tail = 0;
    this.#phase = 1 - this.#phase;
  }
}

/**
 * A submission queue.
 * @internal
 */
export class NvmeSubmissionQueue {
  readonly id: number;
  readonly base: DmaAddr;
  readonly entries: number;
  readonly completions: NvmeCompletionQueue;
  /** False once deleted or reset: nothing may be fetched any more. */
  live = true;
  /** First entry not fetched yet; reported in every completion. */
  head = 0;
  /** First entry not submitted yet; moved by the doorbell. */
  tail = 0;
  /** True while a task fetches from this queue. */
  fetching = false;
  /** Commands fetched but not completed. */
  inFlight = 0;

  constructor(id: number, base: DmaAddr, entries: number, completions: NvmeCompletionQueue) {
    this.id = id;
    this.base = base;
    this.entries = entries;
    this.completions = completions;
  }

  get nextEntry(): DmaAddr {
    return addOffset(this.base, this.head * NVME_SUBMISSION_ENTRY_BYTES);
  }
}
