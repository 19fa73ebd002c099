// GuestWatch: looks at the machine after each step and remembers when each part of taking back was over: the entries of the guest's
// page table, the wait of the exporter, the requests that reach the memory.
// Source followed: the revoke contract of dma-buf, seen from outside.
// Simplified: what the machine does between two looks is one step of one task.

import { type ModelEvent, PAGE_SIZE } from '@sgfree/hw-model';
import { u64 } from '@sgfree/iommufd/stage-7';
import { bytesDiffering } from '../revoke/lent-slots.ts';
import type { GuestSpaceScene } from './guest-space-scene.ts';

/** Clock steps; null = it did not happen. @internal */
export class GuestWatch {
  started: number | null = null;
  entriesGone: number | null = null;
  waitReturned: number | null = null;
  givenOut: number | null = null;
  /** Bytes of the memory that changed while nobody may have written. */
  bytesChangedLate = 0;
  readonly #scene: GuestSpaceScene;
  readonly #iova: number;
  #eventsSeen = 0;
  #snapshot: Uint8Array | null = null;
  #accessesAtStart = 0;
  #accessesAtWait = 0;
  /** How many accesses there were when the memory had been mapped anew; -1 = not yet. */
  #accessesAtEnd = -1;

  /** @param iova - where the guest sees the memory */
  constructor(scene: GuestSpaceScene, iova: number) {
    this.#scene = scene;
    this.#iova = iova;
    this.#eventsSeen = scene.log.events.length;
    this.#accessesAtStart = scene.bar.accesses.length;
  }

  /** Looks at the machine as it stands. */
  look(): void {
    const { log, clock } = this.#scene;
    for (; this.#eventsSeen < log.events.length; this.#eventsSeen += 1) {
      this.#heard(log.events[this.#eventsSeen] as ModelEvent);
    }
    if (this.started !== null && this.entriesGone === null && !this.#shown()) this.entriesGone = clock.step;
  }

  /** The memory is going to be mapped anew, or is not used any more: the end of what is watched. */
  close(): void {
    this.look();
    if (this.#snapshot === null || this.#accessesAtEnd >= 0) return;
    this.bytesChangedLate = bytesDiffering(this.#bytes(), this.#snapshot);
    this.#accessesAtEnd = this.#now;
  }

  /** Requests that reached the memory from the start of taking back until the exporter's wait was over, and after it. */
  get during(): number {
    return this.started === null ? 0 : this.#accessesAtWait - this.#accessesAtStart;
  }

  get late(): number {
    const end = this.#accessesAtEnd < 0 ? this.#now : this.#accessesAtEnd;
    return this.waitReturned === null ? 0 : end - this.#accessesAtWait;
  }

  /** Steps from the start of taking back to the last request that reached the memory; 0 = none came after. */
  get lastAccess(): number {
    const { accesses } = this.#scene.bar;
    const last = accesses[(this.#accessesAtEnd < 0 ? this.#now : this.#accessesAtEnd) - 1];
    return last === undefined || this.started === null ? 0 : Math.max(0, last.step - this.started);
  }

  /** Whether the guest's page table shows any page of the memory. */
  #shown(): boolean {
    const { domain, barSlots } = this.#scene;
    for (let at = 0; at < barSlots.bytes; at += PAGE_SIZE) {
      if (domain.frameAt(u64(this.#iova + at)) >= 0) return true;
    }
    return false;
  }

  get #now(): number {
    return this.#scene.bar.accesses.length;
  }

  #heard(event: ModelEvent): void {
    const { step } = this.#scene.clock;
    switch (event.kind) {
      case 'vfio:revoke-start':
        if (this.started === null) this.#accessesAtStart = this.#now;
        this.started ??= step;
        break;
      case 'vfio:revoked':
        if (this.waitReturned === null) this.#takenBack();
        this.waitReturned ??= step;
        break;
      case 'vfio:unrevoked':
        this.givenOut ??= step;
        break;
      default:
    }
  }

  #takenBack(): void {
    this.#accessesAtWait = this.#now;
    this.#snapshot = this.#bytes();
  }

  #bytes(): Uint8Array {
    return this.#scene.bar.peek(0, this.#scene.barSlots.bytes);
  }
}
