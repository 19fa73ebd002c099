// GuestTraffic: a passed-through device at work on a part of the guest's memory, by guest addresses: writes and reads in turn, and on
// after a refusal, as a device does that nobody has told.
// Source followed: PCI Express requests of an untrusted device; data is keyed, so that a stale or a wrong byte is always seen.
// Simplified: one transfer at a time.

import { type DmaEngine, dmaAddr, type ModelTask, type TransferStatus } from '@sgfree/hw-model';
import { bytesDiffering, type LentSlots } from '../revoke/lent-slots.ts';

/** Transfers after the owner is through. */
const LAST_JOBS = 4;

/** One transfer. @internal */
export interface GuestJob {
  readonly write: boolean;
  readonly slot: number;
  readonly status: TransferStatus;
}

/** What a stream of transfers runs over. @internal */
export interface GuestTrafficParts {
  readonly engine: DmaEngine;
  readonly slots: LentSlots;
  /** Guest address of byte 0 of the slots. */
  readonly iova: number;
  /** True once the owner is through: a few more transfers follow. */
  readonly over: () => boolean;
  /** True: the device does nothing more. */
  readonly stopped?: () => boolean;
}

/** @internal */
export class GuestTraffic {
  readonly done: GuestJob[] = [];
  bytesRead = 0;
  bytesWritten = 0;
  /** Bytes of reads that were not what they must be. */
  bytesWrong = 0;
  readonly #parts: GuestTrafficParts;

  constructor(parts: GuestTrafficParts) {
    this.#parts = parts;
  }

  /** Transfers that were refused. */
  get refused(): number {
    return this.done.filter(({ status }) => status !== 'success').length;
  }

  /** All slots once, again and again until the owner is through, then a few more. */
  *run(): ModelTask<void> {
    const { slots, over, stopped } = this.#parts;
    let left = LAST_JOBS;
    for (let job = 0; left > 0; job += 1) {
      if (stopped?.() === true) return;
      yield* this.transfer(job % slots.jobs);
      if (job + 1 >= slots.jobs && over()) left -= 1;
    }
  }

  /** Even slots are written, odd ones read; true when it worked. */
  *transfer(job: number): ModelTask<boolean> {
    const { engine, slots, iova } = this.#parts;
    const slot = slots.slot(0, job);
    const write = job % 2 === 0;
    const address = dmaAddr(iova + slots.offset(slot));
    const bytes = write ? slots.sent(slot) : new Uint8Array(slots.slotBytes);
    const status = yield* write ? engine.write(address, bytes) : engine.read(address, bytes);
    this.done.push({ write, slot, status });
    if (status !== 'success') return false;
    if (write) this.bytesWritten += bytes.length;
    else this.#compare(slot, bytes);
    return true;
  }

  #compare(slot: number, bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    this.bytesWrong += bytesDiffering(bytes, this.#parts.slots.held(slot));
  }
}
