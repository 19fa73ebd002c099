// NvmeQueuePair: a submission and a completion queue as the driver runs them, both in coherent memory.
// Source followed: drivers/nvme/host/pci.c (struct nvme_queue, nvme_alloc_queue, nvme_sq_copy_cmd, nvme_write_sq_db,
// nvme_cqe_pending, nvme_update_cq_head).
// Simplified: a doorbell per command; completions are polled.

import { addOffset, type PhysicalMemory } from '@sgfree/hw-model';
import type { CoherentBlock, CoherentSource } from './dma-pool.ts';
import type { NvmeBar } from './nvme-bar.ts';
import type { NvmeSubmissionEntry } from './submission-entry.ts';

const SUBMISSION_BYTES = 64;
const COMPLETION_BYTES = 16;

/**
 * A completion queue entry.
 * @public
 */
export interface NvmeCompletion {
  readonly commandId: number;
  /** Status code type and code, Do Not Retry and More included, without the phase bit. 0 = success. */
  readonly status: number;
  /** Dword 0. */
  readonly result: number;
}

/**
 * One queue pair.
 * @public
 */
export class NvmeQueuePair {
  readonly id: number;
  readonly entries: number;
  readonly submission: CoherentBlock;
  readonly completion: CoherentBlock;
  /** Commands submitted and not yet completed. */
  inFlight = 0;
  readonly #memory: PhysicalMemory;
  readonly #bar: NvmeBar;
  readonly #cqe = new Uint8Array(COMPLETION_BYTES);
  readonly #view = new DataView(this.#cqe.buffer);
  #tail = 0;
  #head = 0;
  #phase = 1;

  constructor(
    id: number,
    entries: number,
    rings: { readonly submission: CoherentBlock; readonly completion: CoherentBlock },
    memory: PhysicalMemory,
    bar: NvmeBar,
  ) {
    this.id = id;
    this.entries = entries;
    this.submission = rings.submission;
    this.completion = rings.completion;
    this.#memory = memory;
    this.#bar = bar;
  }

  /** True while another command fits. */
  get hasRoom(): boolean {
    return this.inFlight < this.entries - 1;
  }

  /** Copies the command into the ring and rings the doorbell. */
  submit(entry: NvmeSubmissionEntry): void {
    const slot = addOffset(this.submission.phys, this.#tail * SUBMISSION_BYTES);
    this.#memory.write(slot, entry.bytes);
    this.#tail = (this.#tail + 1) % this.entries;
    this.inFlight += 1;
    this.#bar.ringSubmission(this.id, this.#tail);
  }

  /** True when the entry at the head carries the phase of this round. Reads memory only. */
  get pending(): boolean {
    const slot = addOffset(this.completion.phys, this.#head * COMPLETION_BYTES);
    this.#memory.read(slot, this.#cqe);
    return (this.#view.getUint16(14, true) & 1) === this.#phase;
  }

  /** Takes the completion at the head; only when {@link NvmeQueuePair.pending}. */
  take(): NvmeCompletion {
    const slot = addOffset(this.completion.phys, this.#head * COMPLETION_BYTES);
    this.#memory.read(slot, this.#cqe);
    const taken: NvmeCompletion = {
      commandId: this.#view.getUint16(12, true),
      status: this.#view.getUint16(14, true) >>> 1,
      result: this.#view.getUint32(0, true),
    };
    this.#head += 1;
    if (this.#head === this.entries) {
      this.#head = 0;
      this.#phase = 1 - this.#phase;
    }
    this.inFlight -= 1;
    this.#bar.ringCompletion(this.id, this.#head);
    return taken;
  }
}

/**
 * Allocates the two rings of a queue of `entries` entries; null when memory is short (nothing is then kept).
 * @internal
 */
export function allocRings(
  source: CoherentSource,
  entries: number,
): { readonly submission: CoherentBlock; readonly completion: CoherentBlock } | null {
  const completion = source.alloc(entries * COMPLETION_BYTES);
  if (completion === null) return null;
  const submission = source.alloc(entries * SUBMISSION_BYTES);
  if (submission !== null) return { submission, completion };
  source.free(completion);
  return null;
}
