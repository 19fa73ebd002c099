// VtdFaultLog: the primary fault recording registers (FRCD) and the fault bits of FSTS and FECTL.
// Source followed: VT-d specification 7.3 (primary fault logging), 11.4.9 (FSTS), 11.4.14 (FRCD).
// Records fill round-robin; when the next one is still pending the fault is lost and the overflow bit is set.
// Simplified: no fault collapsing; the fault event is a flag that the machine's owner polls instead of a message.

import { VtdFaultStatus } from './vtd-registers.ts';

/** Words of one record, and its bits: F and T1 are the top bits of the last word. */
const RECORD_WORDS = 4;
const PENDING = 0x80000000;
const READ_REQUEST = 0x40000000;
const INTERRUPT_MASK = 0x80000000;

/**
 * Fault recording registers of one unit.
 * @public
 */
export class VtdFaultLog {
  readonly recordCount: number;
  readonly #words: Uint32Array;
  #next = 0;
  #firstPending = 0;
  #status = 0;
  #control = INTERRUPT_MASK;
  /** The unit wants to tell the driver: a fault event is pending and not masked. */
  interruptPending = false;

  constructor(recordCount: number) {
    this.recordCount = recordCount;
    this.#words = new Uint32Array(recordCount * RECORD_WORDS);
  }

  /** FSTS as software reads it. */
  get status(): number {
    const pending = this.#anyPending() ? VtdFaultStatus.pending : 0;
    return (this.#status | pending | (pending === 0 ? 0 : this.#firstPending << 8)) >>> 0;
  }

  /** FECTL as software reads it: bit 31 masks the fault event. */
  get control(): number {
    return this.#control;
  }

  set control(value: number) {
    this.#control = (value & INTERRUPT_MASK) >>> 0;
    this.#raise(this.#status !== 0 || this.#anyPending());
  }

  /** Writes a record; `addressFrame` is the page of the faulting address. */
  record(sourceId: number, addressFrame: number, write: boolean, reason: number): void {
    if ((this.#status & VtdFaultStatus.overflow) !== 0) return;
    const base = this.#next * RECORD_WORDS;
    if (((this.#words[base + 3] as number) & PENDING) !== 0) {
      this.#status |= VtdFaultStatus.overflow;
      this.#raise(true);
      return;
    }
    const wasPending = this.#anyPending();
    const high = Math.floor(addressFrame / 0x100000);
    this.#words[base] = (addressFrame - high * 0x100000) * 4096;
    this.#words[base + 1] = high;
    this.#words[base + 2] = sourceId;
    this.#words[base + 3] = PENDING | (write ? 0 : READ_REQUEST) | reason;
    if (!wasPending) this.#firstPending = this.#next;
    this.#next = (this.#next + 1) % this.recordCount;
    this.#raise(!wasPending);
  }

  /** Sets an error bit of FSTS (queue error, completion error, time-out). */
  setError(bit: number): void {
    this.#status |= bit;
    this.#raise(true);
  }

  hasError(bit: number): boolean {
    return (this.#status & bit) !== 0;
  }

  /** A write to FSTS: ones clear overflow and the error bits; pending follows the records. */
  writeStatus(value: number): void {
    this.#status &= ~(value & 0x71);
    if (this.#status === 0 && !this.#anyPending()) this.interruptPending = false;
  }

  /** Word `index` (0 to 3) of record `record`. */
  readWord(record: number, index: number): number {
    return this.#words[record * RECORD_WORDS + index] as number;
  }

  /** A write to a word of a record: only F can be written, and a one clears it. */
  writeWord(record: number, index: number, value: number): void {
    if (index !== 3 || (value & PENDING) === 0) return;
    this.#words[record * RECORD_WORDS + 3] = (this.readWord(record, 3) & ~PENDING) >>> 0;
    if (!this.#anyPending() && this.#status === 0) this.interruptPending = false;
  }

  #anyPending(): boolean {
    for (let record = 0; record < this.recordCount; record += 1) {
      if ((this.readWord(record, 3) & PENDING) !== 0) return true;
    }
    return false;
  }

  #raise(event: boolean): void {
    if (event && (this.#control & INTERRUPT_MASK) === 0) this.interruptPending = true;
  }
}
