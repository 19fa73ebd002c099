// EventReader: the driver's side of the event log: 512 entries, read when the unit raises its interrupt.
// Source followed: drivers/iommu/amd/iommu.c (amd_iommu_handle_irq, iommu_poll_events, iommu_print_event,
// amd_iommu_report_page_fault), init.c (iommu_enable_event_buffer, amd_iommu_restart_event_logging); drivers/iommu/
// iommu.c report_iommu_fault().
// Simplified: called by hand instead of by an interrupt; no fault handlers, so that every page fault is traced and printed.

import {
  AMD_EVENT_BYTES,
  AmdControl,
  AmdEventFlag,
  AmdEventType,
  type AmdIommuUnit,
  AmdRegister,
  AmdStatus,
  type EventLog,
  InternalError,
  type PhysicalMemory,
  pairOf,
} from '@sgfree/hw-model';
import type { FrameAllocator } from '@sgfree/mm';
import { allocContiguousFrames } from './contiguous-frames.ts';
import { type AmdDeviceName, type AmdLoggedEvent, decodeLoggedEvent } from './logged-event.ts';

/**
 * What the reader has to know of devices.
 * @internal
 */
export interface KnownDevices {
  readonly nameOf: (deviceId: number) => AmdDeviceName | null;
  readonly isAttached: (deviceId: number) => boolean;
}

/** Bytes of the ring (EVT_BUFFER_SIZE): 512 events in two pages. */
const RING_BYTES = 8192;
const RING_PAGES = 2;
/** Length field of the base register for 512 entries (bits 59:56, in the high word). */
const LENGTH_512 = 0x09000000;
const EVENT_WORDS = AMD_EVENT_BYTES / 4;
/** IOMMU_FAULT_READ and IOMMU_FAULT_WRITE of the IOMMU core. */
const FAULT_READ = 0;
const FAULT_WRITE = 1;
const ANSWERED = AmdStatus.eventInterrupt | AmdStatus.eventOverflow;

/**
 * Event log of one unit, as software sees it.
 * @internal
 */
export class EventReader {
  readonly #unit: AmdIommuUnit;
  readonly #memory: PhysicalMemory;
  readonly #log: EventLog;
  readonly #devices: KnownDevices;
  readonly #ringFrame: number;

  /** Throws {@link @sgfree/hw-model#InternalError} when there is no memory for the ring. */
  constructor(
    unit: AmdIommuUnit,
    memory: PhysicalMemory,
    frames: FrameAllocator,
    log: EventLog,
    devices: KnownDevices,
  ) {
    this.#unit = unit;
    this.#memory = memory;
    this.#log = log;
    this.#devices = devices;
    this.#ringFrame = allocContiguousFrames(frames, RING_PAGES);
    if (this.#ringFrame < 0) throw new InternalError('no memory for an event log');
  }

  /** Programs the base register and empties the ring; the enable bit is the caller's. */
  program(): void {
    const [low, high] = pairOf(this.#ringFrame * 4096);
    this.#unit.writeRegister64(AmdRegister.EVENT_BASE, [low, high + LENGTH_512]);
    this.#unit.writeRegister32(AmdRegister.EVENT_HEAD, 0);
    this.#unit.writeRegister32(AmdRegister.EVENT_TAIL, 0);
  }

  /** Reads the log as long as the unit asks for it, and starts it again after an overflow; returns what it held. */
  handleInterrupt(): AmdLoggedEvent[] {
    const events: AmdLoggedEvent[] = [];
    let status = this.#status();
    while ((status & ANSWERED) !== 0) {
      this.#unit.writeRegister32(AmdRegister.STATUS, ANSWERED);
      this.#poll(events);
      if ((status & AmdStatus.eventOverflow) !== 0) this.#restart();
      status = this.#status();
    }
    return events;
  }

  #status(): number {
    return this.#unit.readRegister32(AmdRegister.STATUS);
  }

  #poll(events: AmdLoggedEvent[]): void {
    let head = this.#unit.readRegister32(AmdRegister.EVENT_HEAD);
    const tail = this.#unit.readRegister32(AmdRegister.EVENT_TAIL);
    while (head !== tail) {
      const at = (head & 0xfff) >>> 2;
      const words = this.#memory.frameWords(this.#ringFrame + (head >>> 12)).subarray(at, at + EVENT_WORDS);
      const event = decodeLoggedEvent(words);
      events.push(event);
      if (event.type === AmdEventType.ioPageFault) this.#reportPageFault(event);
      // A unit may be late with an entry; software zeroes those it has read to be able to tell.
      words.fill(0);
      head = (head + AMD_EVENT_BYTES) & (RING_BYTES - 1);
      this.#unit.writeRegister32(AmdRegister.EVENT_HEAD, head);
    }
  }

  /** Memory requests of attached devices reach the IOMMU core, which traces them. */
  #reportPageFault({ deviceId, flags, address }: AmdLoggedEvent): void {
    const name = this.#devices.nameOf(deviceId);
    const ofMemory = (flags & AmdEventFlag.interrupt) === 0;
    if (name === null || !ofMemory || !this.#devices.isAttached(deviceId) || !this.#log.enabled) return;
    const fault = (flags & AmdEventFlag.write) === 0 ? FAULT_READ : FAULT_WRITE;
    this.#log.post({ kind: 'iommu:io_page_fault', ...name, iova: address, flags: fault });
  }

  /** Switches the log off and on, unless it runs. */
  #restart(): void {
    if ((this.#status() & AmdStatus.eventLogRunning) !== 0) return;
    const [low, high] = this.#unit.readRegister64(AmdRegister.CONTROL);
    const without = low & ~(AmdControl.eventLogEnable | AmdControl.eventInterruptEnable);
    this.#unit.writeRegister64(AmdRegister.CONTROL, [without, high]);
    this.#unit.writeRegister32(AmdRegister.STATUS, AmdStatus.eventOverflow);
    this.#unit.writeRegister64(AmdRegister.CONTROL, [low, high]);
  }
}
