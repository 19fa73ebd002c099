// LentSlots: which bytes of the lent memory each work request uses, and what they must be.
// Source followed: the project's rule that data is a keyed function, so that a wrong or stale byte is always seen.
// A slot belongs to one work request. It holds the owner's bytes; a write replaces them by the peer's, a read fetches them.
// Simplified: none.

import { alignUp, PAGE_SIZE } from '@sgfree/hw-model';
import { KeyedData } from '../keyed-data.ts';

/** Keys of the peer's bytes lie this far above those of the owner's. */
const SENT_FROM: number = 2 ** 24;
/** Slots of each region that are kept for accesses after the revoke. */
const PROBE_SLOTS = 4;

/** @internal */
export class LentSlots {
  readonly jobs: number;
  readonly slotBytes: number;
  readonly count: number;
  readonly #data: KeyedData;

  constructor(regions: number, jobs: number, slotBytes: number, seed: number) {
    this.jobs = jobs;
    this.slotBytes = slotBytes;
    this.count = regions * (jobs + PROBE_SLOTS);
    this.#data = new KeyedData(seed, slotBytes);
  }

  /** Whole pages that hold all slots. */
  get bytes(): number {
    return alignUp(this.count * this.slotBytes, PAGE_SIZE);
  }

  get pages(): number {
    return this.bytes / PAGE_SIZE;
  }

  /** Slot of work request `job` of region `region`; from `jobs` on they are probes. */
  slot(region: number, job: number): number {
    return region * (this.jobs + PROBE_SLOTS) + job;
  }

  /** First byte of a slot. */
  offset(slot: number): number {
    return slot * this.slotBytes;
  }

  /** The slot that byte `offset` is in. */
  slotAt(offset: number): number {
    return Math.floor(offset / this.slotBytes);
  }

  /** What the owner put there. */
  held(slot: number): Uint8Array {
    return this.#filled(slot);
  }

  /** What the peer sends there. */
  sent(slot: number): Uint8Array {
    return this.#filled(slot + SENT_FROM);
  }

  #filled(key: number): Uint8Array {
    const bytes = new Uint8Array(this.slotBytes);
    this.#data.fill(key, bytes);
    return bytes;
  }
}

/**
 * Bytes of `found` that are neither `wanted` from the start on, nor `before` from where that ends: a write that was cut off
 * leaves a beginning of its own.
 * @internal
 */
export function bytesTornWrong(found: Uint8Array, wanted: Uint8Array, before: Uint8Array): number {
  let written = 0;
  while (written < found.length && found[written] === wanted[written]) written += 1;
  return bytesDiffering(found.subarray(written), before.subarray(written));
}

/** @internal */
export function bytesDiffering(found: Uint8Array, wanted: Uint8Array): number {
  let wrong = 0;
  for (let i = 0; i < found.length; i += 1) if (found[i] !== wanted[i]) wrong += 1;
  return wrong;
}
