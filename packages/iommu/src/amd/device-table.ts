// DeviceTable: the device table of one unit, as the AMD driver writes it into memory.
// Source followed: drivers/iommu/amd/init.c (alloc_dev_table, init_device_table_dma), iommu.c (set_dte_entry,
// clear_dte_entry); AMD I/O Virtualization Technology specification 2.2.2.
// Every entry is valid from the start, with no permission: a device that nobody has attached is blocked.
// Simplified: no interrupt fields, no bits kept for firmware, no aliases, no guest tables.

import { AMD_DEVICE_ENTRY_BYTES, InternalError, type PhysicalMemory, pairOf } from '@sgfree/hw-model';
import type { FrameAllocator } from '@sgfree/mm';
import { allocContiguousFrames } from './contiguous-frames.ts';

const PAGE = 4096;
const ENTRY_WORDS = AMD_DEVICE_ENTRY_BYTES / 4;
const ENTRIES_PER_PAGE = PAGE / AMD_DEVICE_ENTRY_BYTES;
const VALID = 1;
const TRANSLATION_VALID = 2;
const MODE_SHIFT = 9;
/** HAD: bits 7 and 8, accessed and dirty bits are written. */
const RECORDS_WRITES = 0x180;
/** IR and IW, bits 61 and 62. */
const READ_WRITE = 0x60000000;
/** Bit 32 of the second quadword: requests of the device's own TLB are answered. */
const DEVICE_TLB = 1;

/**
 * What an entry leads to: tables of `levels` levels at `rootFrame`, or none (`levels` 0: addresses stay as they are).
 * @internal
 */
export interface DeviceTableMapping {
  readonly domainId: number;
  readonly rootFrame: number;
  readonly levels: number;
  readonly deviceTlb: boolean;
  /** The unit records accesses and writes in the tables. */
  readonly dirtyTracking: boolean;
}

/**
 * Device table of one unit.
 * @internal
 */
export class DeviceTable {
  readonly baseFrame: number;
  readonly pages: number;
  readonly #memory: PhysicalMemory;
  readonly #lastDeviceId: number;

  /** A table for device ids up to `lastDeviceId`; throws {@link @sgfree/hw-model#InternalError} when there is no memory for it. */
  constructor(memory: PhysicalMemory, frames: FrameAllocator, lastDeviceId: number) {
    this.#memory = memory;
    this.#lastDeviceId = lastDeviceId;
    // Allocations come in powers of two pages.
    this.pages = 2 ** Math.ceil(Math.log2(Math.ceil((lastDeviceId + 1) / ENTRIES_PER_PAGE)));
    this.baseFrame = allocContiguousFrames(frames, this.pages);
    if (this.baseFrame < 0) throw new InternalError('no memory for a device table');
    for (let id = 0; id <= lastDeviceId; id += 1) this.#entry(id)[0] = VALID | TRANSLATION_VALID;
  }

  /** True for the devices of the machine; the table may have entries beyond the last, which let everything through. */
  holds(deviceId: number): boolean {
    return deviceId <= this.#lastDeviceId;
  }

  /** Domain id in the entry of `deviceId`; 0 = none. */
  domainIdOf(deviceId: number): number {
    return (this.#entry(deviceId)[2] as number) & 0xffff;
  }

  /** Writes the entry of `deviceId`. */
  set(deviceId: number, mapping: DeviceTableMapping): void {
    const [low, high] = pairOf(mapping.rootFrame * PAGE);
    const mode = mapping.levels << MODE_SHIFT;
    const had = mapping.dirtyTracking ? RECORDS_WRITES : 0;
    this.#write(deviceId, low + mode + had + VALID + TRANSLATION_VALID, high + READ_WRITE, mapping);
  }

  /** Changes nothing of the entry of `deviceId` but whether writes are recorded. */
  setDirtyTracking(deviceId: number, enable: boolean): void {
    const entry = this.#entry(deviceId);
    const low = entry[0] as number;
    entry[0] = enable ? low | RECORDS_WRITES : low & ~RECORDS_WRITES;
  }

  /** Blocks `deviceId`: its entry keeps V alone. */
  clear(deviceId: number): void {
    this.#write(deviceId, VALID, 0, { domainId: 0, deviceTlb: false });
  }

  #write(
    deviceId: number,
    low: number,
    high: number,
    { domainId, deviceTlb }: Pick<DeviceTableMapping, 'domainId' | 'deviceTlb'>,
  ): void {
    this.#entry(deviceId).set([low, high, domainId, deviceTlb ? DEVICE_TLB : 0]);
  }

  #entry(deviceId: number): Uint32Array {
    const page = this.#memory.frameWords(this.baseFrame + Math.floor(deviceId / ENTRIES_PER_PAGE));
    const at = (deviceId & (ENTRIES_PER_PAGE - 1)) * ENTRY_WORDS;
    return page.subarray(at, at + ENTRY_WORDS);
  }
}
