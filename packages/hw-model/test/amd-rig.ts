// An AMD-Vi unit with device and page tables written by hand and a ring of commands: hardware without a driver.
// Source followed: AMD I/O Virtualization Technology specification 2.2 (tables), 2.4 (commands), 2.5 (events).
// Simplified: a device table of one page (128 functions), tables are never freed, commands are given as words.

import {
  AmdControl,
  AmdIommuUnit,
  type AmdIommuUnitOptions,
  AmdRegister,
  bareMetalAmdFeatures,
  type DmaAddr,
  dmaOfFrame,
  frameOf,
  PhysicalMemory,
  physAddr,
} from '../src/index.ts';

export const READ_ONLY = 1;
export const WRITE_ONLY = 2;
export const RW = 3;

const DEVICE_TABLE = 0x100;
const COMMANDS = 0x101;
const EVENTS = 0x103;
/** Page frame of the words that waits are asked to write. */
const STORES = 0x104;
const COMMAND_SLOTS = 512;
/** 256 entries: the shortest ring. */
export const EVENT_SLOTS = 256;
export const ENABLES: number =
  AmdControl.iommuEnable | AmdControl.commandBufferEnable | AmdControl.eventLogEnable;

export interface AmdEventWords {
  readonly type: number;
  readonly deviceId: number;
  readonly domain: number;
  readonly flags: number;
  readonly address: number;
}

/** Commands as words. */
export const commands = {
  wait: (slot: number, value: number, flags = 1): number[] => [
    STORES * 4096 + slot * 8 + flags,
    0x10000000,
    value,
    0,
  ],
  deviceEntry: (deviceId: number): number[] => [deviceId, 0x20000000, 0, 0],
  pages: (domain: number, low: number, high: number): number[] => [0, 0x30000000 + domain, low, high],
  page: (domain: number, frame: number, flags = 0): number[] =>
    commands.pages(domain, (frame % 0x100000) * 4096 + flags, Math.floor(frame / 0x100000)),
  wholeDomain: (domain: number, flags = 3): number[] =>
    commands.pages(domain, 0xfffff000 + flags, 0x7fffffff),
  deviceTlb: (deviceId: number): number[] => [deviceId, 0x40000000 + deviceId, 0xfffff001, 0x7fffffff],
  interruptTable: (deviceId: number): number[] => [deviceId, 0x50000000, 0, 0],
  pprResponse: (deviceId: number): number[] => [deviceId, 0x70000000, 0, 0],
  everything: [0, 0x80000000, 0, 0],
};

/** One unit, its memory and its tables. */
export class AmdRig {
  readonly memory: PhysicalMemory;
  readonly unit: AmdIommuUnit;
  #tail = 0;
  #nextFrame = 0x110;

  constructor(options: Partial<AmdIommuUnitOptions> = {}, memory?: PhysicalMemory) {
    this.memory = memory ?? new PhysicalMemory();
    if (memory === undefined) this.memory.addRam(physAddr(0), 16 * 2 ** 20);
    this.unit = new AmdIommuUnit(this.memory, { features: bareMetalAmdFeatures, ...options });
    this.unit.writeRegister64(AmdRegister.DEVICE_TABLE_BASE, [DEVICE_TABLE * 4096, 0]);
    this.unit.writeRegister64(AmdRegister.COMMAND_BASE, [COMMANDS * 4096, 0x09000000]);
    this.unit.writeRegister64(AmdRegister.EVENT_BASE, [EVENTS * 4096, 0x08000000]);
    this.control(ENABLES);
  }

  control(bits: number): void {
    this.unit.writeRegister64(AmdRegister.CONTROL, [bits, 0]);
  }

  /** A zeroed frame. */
  newFrame(): number {
    return this.#nextFrame++;
  }

  /** The 8 words of the entry of `deviceId` (below 128). */
  entry(deviceId: number): Uint32Array {
    return this.memory.frameWords(DEVICE_TABLE).subarray(deviceId * 8, deviceId * 8 + 8);
  }

  /** Sends `deviceId` through tables of `levels` levels; returns the frame of the top table. */
  attach(deviceId: number, domain: number, levels = 3): number {
    const root = this.newFrame();
    this.setMode(deviceId, domain, root, levels);
    return root;
  }

  /** Writes an entry with translation: V, TV, IR, IW. */
  setMode(deviceId: number, domain: number, root: number, levels: number): void {
    this.entry(deviceId).set([root * 4096 + levels * 512 + 3, 0x60000000, domain, 0]);
  }

  /** Writes the leaf of natural size at `level` (0 = 4 KiB) below a top table of `levels` levels; rights 0 = no leaf. */
  map(root: number, iovaFrame: number, frame: number, rights: number, level = 0, levels = 3): void {
    this.slot(root, iovaFrame, level, levels).set(
      rights === 0 ? [0, 0] : [frame * 4096 + 1, rights * 0x20000000],
    );
  }

  /** The two words of the entry of `level` for a page; tables above it are made when missing. */
  slot(root: number, iovaFrame: number, level = 0, levels = 3): Uint32Array {
    let table = root;
    for (let above = levels - 1; above > level; above -= 1) {
      const at = (Math.floor(iovaFrame / 512 ** above) % 512) * 2;
      const words = this.memory.frameWords(table);
      if (words[at] === 0) {
        words[at] = this.newFrame() * 4096 + above * 512 + 1;
        words[at + 1] = 0x60000000;
      }
      table = (words[at] as number) >>> 12;
    }
    const at = (Math.floor(iovaFrame / 512 ** level) % 512) * 2;
    return this.memory.frameWords(table).subarray(at, at + 2);
  }

  /** What the unit answers for the first byte of a page: its physical page frame, or -1. */
  translate(deviceId: number, iovaFrame: number, write = false): number {
    const phys = this.unit.translate(deviceId, this.address(iovaFrame), write);
    return phys < 0 ? -1 : frameOf(physAddr(phys));
  }

  address(iovaFrame: number): DmaAddr {
    return dmaOfFrame(iovaFrame);
  }

  /** Puts commands into the ring and lets the unit see them. */
  submit(...all: readonly (readonly number[])[]): void {
    for (const words of all) {
      const page = this.memory.frameWords(COMMANDS + Math.floor(this.#tail / 256));
      page.set(words, (this.#tail % 256) * 4);
      this.#tail = (this.#tail + 1) % COMMAND_SLOTS;
    }
    this.unit.writeRegister32(AmdRegister.COMMAND_TAIL, this.#tail * 16);
  }

  /** Empties the ring: what a driver does after an error. */
  resetCommands(): void {
    this.#tail = 0;
    this.control(ENABLES & ~AmdControl.commandBufferEnable);
    this.unit.writeRegister32(AmdRegister.COMMAND_HEAD, 0);
    this.unit.writeRegister32(AmdRegister.COMMAND_TAIL, 0);
    this.control(ENABLES);
  }

  /** The 64-bit word that waits with `slot` write, as a number. */
  stored(slot: number): number {
    const words = this.memory.frameWords(STORES);
    return (words[slot * 2 + 1] as number) * 2 ** 32 + (words[slot * 2] as number);
  }

  get status(): number {
    return this.unit.readRegister32(AmdRegister.STATUS);
  }

  /** The event at `index` of the log's memory. */
  eventAt(index: number): AmdEventWords {
    const words = this.memory.frameWords(EVENTS);
    const word = (at: number): number => words[index * 4 + at] as number;
    const high = word(1);
    return {
      type: high >>> 28,
      deviceId: word(0),
      domain: high & 0xffff,
      flags: (high >>> 16) & 0xfff,
      address: word(3) * 2 ** 32 + word(2),
    };
  }

  /** Takes all events out of the log, oldest first. */
  takeEvents(): AmdEventWords[] {
    const events: AmdEventWords[] = [];
    const tail = this.unit.readRegister32(AmdRegister.EVENT_TAIL);
    let head = this.unit.readRegister32(AmdRegister.EVENT_HEAD);
    for (; head !== tail; head = (head + 16) % (EVENT_SLOTS * 16)) events.push(this.eventAt(head / 16));
    this.unit.writeRegister32(AmdRegister.EVENT_HEAD, head);
    return events;
  }
}
