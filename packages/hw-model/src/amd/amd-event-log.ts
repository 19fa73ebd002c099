// AmdEventLog: the ring in memory that a unit writes its events to, with its pointers and status bits.
// Source followed: AMD I/O Virtualization Technology specification 2.5.1 (event log), 3.4 (base, head, tail, status).
// An event that finds the ring full is lost; the log then stands still until software switches it off and on again.
// Simplified: one log; the interrupt is a bit that the machine's owner polls instead of a message.

import { physOfFrame } from '../addresses.ts';
import { pairOf, type RegisterPair } from '../iommu-unit/register-pair.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { AMD_EVENT_BYTES } from './amd-event.ts';
import { AmdControl, AmdStatus } from './amd-registers.ts';
import { baseFrameOf, POINTER_MASK, ringBytesOf } from './amd-ring.ts';
import type { AmdUnitCounters } from './amd-unit-counters.ts';

const PAGE = 4096;

/**
 * Event log of one unit.
 * @public
 */
export class AmdEventLog {
  readonly #memory: PhysicalMemory;
  readonly #counters: AmdUnitCounters;
  #base: RegisterPair = [0, 0];
  #head = 0;
  #tail = 0;
  #control = 0;
  #status = 0;
  #running = false;

  constructor(memory: PhysicalMemory, counters: AmdUnitCounters) {
    this.#memory = memory;
    this.#counters = counters;
  }

  /** Event log base register; a write empties the ring. */
  get base(): RegisterPair {
    return this.#base;
  }

  set base(value: RegisterPair) {
    this.#base = value;
    this.#head = 0;
    this.#tail = 0;
  }

  /** Byte offset of the oldest event that software has not taken. */
  get head(): number {
    return this.#head;
  }

  set head(value: number) {
    this.#head = value & POINTER_MASK;
  }

  /** Byte offset behind the newest event. */
  get tail(): number {
    return this.#tail;
  }

  set tail(value: number) {
    this.#tail = value & POINTER_MASK;
  }

  /** The log's bits of the status register. */
  get status(): number {
    return this.#status | (this.#running ? AmdStatus.eventLogRunning : 0);
  }

  /** True when an interrupt waits for the driver. */
  get interruptPending(): boolean {
    const waiting = this.#status & (AmdStatus.eventInterrupt | AmdStatus.eventOverflow);
    return waiting !== 0 && (this.#control & AmdControl.eventInterruptEnable) !== 0;
  }

  /** A write to the status register: ones clear overflow and interrupt. The log does not run again by itself. */
  clearStatus(ones: number): void {
    this.#status &= ~(ones & (AmdStatus.eventOverflow | AmdStatus.eventInterrupt));
  }

  /** The control register has changed: the log starts when both enables have come on, and stops when one goes. */
  setControl(value: number): void {
    const enabled = (bits: number): boolean =>
      (bits & AmdControl.iommuEnable) !== 0 && (bits & AmdControl.eventLogEnable) !== 0;
    if (!enabled(value)) this.#running = false;
    else if (!enabled(this.#control)) this.#running = true;
    this.#control = value;
  }

  /** Writes an event: code, device, what goes into bits 15:0 of the second word, 12 flag bits and two address words. */
  record(type: number, deviceId: number, domain: number, flags: number, address: RegisterPair): void {
    if (!this.#running) return;
    const bytes = ringBytesOf(this.#base);
    const next = (this.#tail + AMD_EVENT_BYTES) & (bytes - 1);
    if (next === this.#head) {
      this.#overflow();
      return;
    }
    const frame = baseFrameOf(this.#base) + Math.floor(this.#tail / PAGE);
    if (this.#memory.isRam(physOfFrame(frame), PAGE)) {
      const at = (this.#tail & (PAGE - 1)) >>> 2;
      const words = this.#memory.frameWords(frame);
      words[at] = deviceId;
      words[at + 1] = ((type << 28) | (flags << 16) | domain) >>> 0;
      words[at + 2] = address[0];
      words[at + 3] = address[1];
    }
    this.#tail = next;
    this.#counters.eventsLogged += 1;
    if ((this.#control & AmdControl.eventInterruptEnable) !== 0) this.#status |= AmdStatus.eventInterrupt;
  }

  #overflow(): void {
    this.#running = false;
    this.#status |= AmdStatus.eventOverflow;
    this.#counters.eventsLost += 1;
  }
}

/**
 * The address that an event carries for a bus address: requests name dwords, so that the lowest two bits are zero.
 * @internal
 */
export function eventAddress(address: number): RegisterPair {
  const [low, high] = pairOf(address);
  return [(low & ~3) >>> 0, high];
}
