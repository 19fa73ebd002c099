// A VT-d unit with device and page tables written by hand and a queue of invalidations: hardware without a driver.
// Source followed: VT-d specification 9 (tables) and 6.5.2 (queue); legacy and scalable mode.
// Simplified: tables are never freed, and descriptors are given as words.

import {
  type DmaAddr,
  dmaOfFrame,
  frameOf,
  PhysicalMemory,
  physAddr,
  recordedVtdCapabilities,
  type VtdCapabilityRegisters,
  VtdCommand,
  VtdRegister,
  VtdUnit,
  type VtdUnitOptions,
} from '../src/index.ts';

export const RW = 3;
export const LARGE = 0x80;

const ROOT = 0x100;
export const RING = 0x101;
/** Page frame of the words that waits are asked to write. */
export const STATUS = 0x103;

export interface RigOptions extends Partial<VtdUnitOptions> {
  readonly capabilities?: VtdCapabilityRegisters;
  readonly scalable?: boolean;
  /** 256-bit descriptors. */
  readonly wide?: boolean;
}

/** Descriptors as (low word, high word) of both 64-bit words. */
export const descriptors = {
  contextGlobal: [0x11, 0, 0, 0],
  contextDevice: (domain: number, sourceId: number, mask = 0): number[] => [
    domain * 0x10000 + 0x31,
    sourceId + mask * 0x10000,
    0,
    0,
  ],
  contextDomain: (domain: number): number[] => [domain * 0x10000 + 0x21, 0, 0, 0],
  iotlbGlobal: [0xd2, 0, 0, 0],
  iotlbDomain: (domain: number): number[] => [domain * 0x10000 + 0xe2, 0, 0, 0],
  iotlbPages: (domain: number, frame: number, order: number, hint: boolean): number[] => [
    domain * 0x10000 + 0xf2,
    0,
    (frame % 0x100000) * 4096 + (hint ? 0x40 : 0) + order,
    Math.floor(frame / 0x100000),
  ],
  wait: (slot: number, value: number): number[] => [0x25, value, STATUS * 4096 + slot * 4, 0],
} as const;

/** One unit, its memory and its tables. */
export class VtdRig {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly unit: VtdUnit;
  readonly scalable: boolean;
  readonly #width: number;
  #tail = 0;
  #nextFrame = 0x110;

  constructor(options: RigOptions = {}) {
    this.memory.addRam(physAddr(0), 16 * 2 ** 20);
    this.scalable = options.scalable === true;
    this.#width = options.wide === true ? 8 : 4;
    this.unit = new VtdUnit(this.memory, { capabilities: recordedVtdCapabilities, ...options });
    const { unit } = this;
    unit.writeRegister64(VtdRegister.IQA, [RING * 4096 + (this.#width === 8 ? 0x801 : 0), 0]);
    unit.writeRegister32(VtdRegister.GCMD, VtdCommand.queueEnable);
    unit.writeRegister64(VtdRegister.RTADDR, [ROOT * 4096 + (this.scalable ? 0x400 : 0), 0]);
    unit.writeRegister32(VtdRegister.GCMD, (VtdCommand.queueEnable | VtdCommand.setRootPointer) >>> 0);
    unit.writeRegister32(VtdRegister.GCMD, (VtdCommand.queueEnable | VtdCommand.translationEnable) >>> 0);
  }

  get ringSlots(): number {
    return 256;
  }

  /** A zeroed frame. */
  newFrame(): number {
    return this.#nextFrame++;
  }

  get rootWords(): Uint32Array {
    return this.memory.frameWords(ROOT);
  }

  /** The words of the context entry of `sourceId`: 4, or 8 in scalable mode. The context table is made when missing. */
  contextEntry(sourceId: number): Uint32Array {
    const slot = this.scalable ? (sourceId >>> 7) * 2 : (sourceId >>> 8) * 4;
    const table = this.memory.frameWords(this.#tableAt(this.rootWords, slot, 1));
    const at = this.scalable ? (sourceId & 0x7f) * 8 : (sourceId & 0xff) * 4;
    return table.subarray(at, at + (this.scalable ? 8 : 4));
  }

  /** Scalable mode: the 16 words of the entry of PASID 0, directory and table made when missing. */
  pasidEntry(sourceId: number): Uint32Array {
    const directory = this.memory.frameWords(this.#tableAt(this.contextEntry(sourceId), 0, 0x401));
    return this.memory.frameWords(this.#tableAt(directory, 0, 1)).subarray(0, 16);
  }

  /** Sends `sourceId` through second-stage tables; returns the frame of the top table. */
  attach(sourceId: number, domain: number, levels = 4): number {
    const root = this.newFrame();
    if (this.scalable) {
      this.pasidEntry(sourceId).set([root * 4096 + ((levels - 2) << 2) + (2 << 6) + 1, 0, domain, 0]);
    } else {
      this.contextEntry(sourceId).set([root * 4096 + 1, 0, domain * 256 + levels - 2, 0]);
    }
    return root;
  }

  /** Writes a second-stage entry at `level` (0 = 4 KiB page) below a top table of `levels` levels. */
  map(root: number, iovaFrame: number, frame: number, bits: number, level = 0, levels = 4): void {
    this.slot(root, iovaFrame, level, levels).set([
      frame * 4096 + bits + (level > 0 && bits !== 0 ? LARGE : 0),
      0,
    ]);
  }

  /** The two words of the entry of `level` for a page; tables above it are made when missing. */
  slot(root: number, iovaFrame: number, level = 0, levels = 4): Uint32Array {
    let table = root;
    for (let above = levels - 1; above > level; above -= 1) {
      const at = (Math.floor(iovaFrame / 512 ** above) % 512) * 2;
      table = this.#tableAt(this.memory.frameWords(table), at, RW);
    }
    const at = (Math.floor(iovaFrame / 512 ** level) % 512) * 2;
    return this.memory.frameWords(table).subarray(at, at + 2);
  }

  /** What the unit answers for the first byte of a page: its physical page frame, or -1. */
  translate(sourceId: number, iovaFrame: number, write = false): number {
    const phys = this.unit.translate(sourceId, this.address(iovaFrame), write);
    return phys < 0 ? -1 : frameOf(physAddr(phys));
  }

  address(iovaFrame: number): DmaAddr {
    return dmaOfFrame(iovaFrame);
  }

  /** Puts descriptors into the ring and lets the unit see them. */
  submit(...all: readonly (readonly number[])[]): void {
    for (const words of all) this.put(words);
    this.ring();
  }

  /** Puts one descriptor into the ring. */
  put(words: readonly number[]): void {
    const start = this.#tail * this.#width;
    const page = this.memory.frameWords(RING + Math.floor(start / 1024));
    for (let word = 0; word < this.#width; word += 1) page[(start % 1024) + word] = words[word] ?? 0;
    this.#tail = (this.#tail + 1) % this.ringSlots;
  }

  /** Writes the tail register. */
  ring(): void {
    this.unit.writeRegister32(VtdRegister.IQT, this.#tail * this.#width * 4);
  }

  status(slot: number): number {
    return this.memory.frameWords(STATUS)[slot] as number;
  }

  #tableAt(words: Uint32Array, slot: number, bits: number): number {
    if (words[slot] === 0) words[slot] = this.newFrame() * 4096 + bits;
    return (words[slot] as number) >>> 12;
  }
}
