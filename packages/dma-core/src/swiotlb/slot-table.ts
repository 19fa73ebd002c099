// SlotTable: what a bounce pool knows of each slot: how many free slots begin there, and for a used one which memory it
// stands in for, how many bytes follow it in its mapping, and how many slots of padding come before it.
// Source followed: kernel/dma/swiotlb.c (struct io_tlb_slot, swiotlb_init_io_tlb_pool, swiotlb_release_slots).
// A free run is counted up to the end of its segment only, which is why no mapping ever crosses one.
// Simplified: no locks.

import { InternalError, type PhysAddr, rawOffset } from '@sgfree/hw-model';
import { SLOT_BYTES, SLOTS_PER_SEGMENT } from './slot-size.ts';

/** An original address that there is not. */
const NO_ADDRESS = -1;

/**
 * The metadata of every slot of a pool.
 * @internal
 */
export class SlotTable {
  /** Free slots from here to the end of the segment without a gap, 0 = used (`list`). */
  readonly freeRun: Uint8Array;
  /** Physical address whose bytes the slot holds, -1 = none. */
  readonly origAddr: Float64Array;
  /** Bytes of the mapping from this slot's data on; below zero where only the offset reaches into the last slot. */
  readonly allocSize: Int32Array;
  /** Slots before this one that its mapping took for alignment alone. */
  readonly padSlots: Uint32Array;

  constructor(slotCount: number) {
    if (!Number.isInteger(slotCount) || slotCount <= 0)
      throw new InternalError(`a pool of ${slotCount} slots`);
    this.freeRun = new Uint8Array(slotCount);
    this.origAddr = new Float64Array(slotCount).fill(NO_ADDRESS);
    this.allocSize = new Int32Array(slotCount);
    this.padSlots = new Uint32Array(slotCount);
    for (let slot = 0; slot < slotCount; slot += 1) {
      this.freeRun[slot] = Math.min(SLOTS_PER_SEGMENT - (slot % SLOTS_PER_SEGMENT), slotCount - slot);
    }
  }

  /** Takes `slots` slots from `first` on for a mapping of `total` bytes whose data starts `offset` bytes into the first. */
  take(first: number, slots: number, total: number, offset: number): void {
    for (let taken = 0; taken < slots; taken += 1) {
      this.freeRun[first + taken] = 0;
      this.allocSize[first + taken] = total - offset - taken * SLOT_BYTES;
    }
    this.#renumberBelow(first, 0);
  }

  /** Notes that the slots from `first` on, behind `pad` slots of padding, stand in for memory from `orig` on. */
  assign(first: number, slots: number, pad: number, orig: PhysAddr): void {
    this.padSlots[first] = pad;
    for (let at = 0; at < slots; at += 1) this.origAddr[first + at] = rawOffset(orig, at * SLOT_BYTES);
  }

  /** Gives `slots` slots from `first` on back and joins them with the free ones on both sides, within the segment. */
  release(first: number, slots: number): void {
    const segmentEnd = first - (first % SLOTS_PER_SEGMENT) + SLOTS_PER_SEGMENT;
    const behind = first + slots;
    let run = behind < segmentEnd ? (this.freeRun[behind] as number) : 0;
    for (let slot = behind - 1; slot >= first; slot -= 1) {
      run += 1;
      this.freeRun[slot] = run;
      this.origAddr[slot] = NO_ADDRESS;
      this.allocSize[slot] = 0;
      this.padSlots[slot] = 0;
    }
    this.#renumberBelow(first, run);
  }

  /** Counts the free slots right below `first` anew, given the length of the run that starts at `first`. */
  #renumberBelow(first: number, runAtFirst: number): void {
    let run = runAtFirst;
    for (let slot = first - 1; slot % SLOTS_PER_SEGMENT !== SLOTS_PER_SEGMENT - 1; slot -= 1) {
      if (slot < 0 || this.freeRun[slot] === 0) return;
      run += 1;
      this.freeRun[slot] = run;
    }
  }
}
