// PhysicalMemory: the CPU physical address space of one machine. RAM holds real bytes, MMIO ranges answer by a target.
// RAM is sparse: a frame takes space once it is touched; untouched RAM reads as zero.
// Simplified: no caches here, one memory node, no ECC; a range no one claims refuses the access.

import { alignDown, frameOf, hex, offsetWithin, PAGE_SIZE, type PhysAddr } from './addresses.ts';
import { InternalError } from './internal-error.ts';

/**
 * Who answers CPU or bus accesses to an MMIO range, e.g. a BAR. Offsets are bytes from the range's start.
 * @public
 */
export interface MmioTarget {
  mmioRead(offset: number, into: Uint8Array): boolean;
  mmioWrite(offset: number, from: Uint8Array): boolean;
}

/**
 * A contiguous range of physical addresses.
 * @public
 */
export interface PhysRange {
  readonly base: PhysAddr;
  readonly bytes: number;
}

interface MmioRange extends PhysRange {
  readonly target: MmioTarget;
}

interface Frame {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/**
 * Sparse physical memory: RAM ranges with real bytes and MMIO ranges with targets.
 * @public
 */
export class PhysicalMemory {
  readonly #ram: PhysRange[] = [];
  readonly #mmio: MmioRange[] = [];
  readonly #frames = new Map<number, Frame>();
  #lastFrameNumber = -1;
  #lastFrame: Frame | undefined;

  get ramRanges(): readonly PhysRange[] {
    return this.#ram;
  }

  /** Declares RAM; base and size are whole pages and overlap nothing declared before. */
  addRam(base: PhysAddr, bytes: number): void {
    this.#claim(base, bytes);
    this.#ram.push({ base, bytes });
  }

  /** Declares an MMIO range answered by `target`. */
  addMmio(base: PhysAddr, bytes: number, target: MmioTarget): void {
    this.#claim(base, bytes);
    this.#mmio.push({ base, bytes, target });
  }

  /** Withdraws the MMIO range starting at `base` (a BAR that moved or was disabled). */
  removeMmio(base: PhysAddr): void {
    const at = this.#mmio.findIndex((range) => range.base === base);
    if (at < 0) throw new InternalError(`no MMIO range starts at ${hex(base)}`);
    this.#mmio.splice(at, 1);
  }

  /** True when all of [base, base + bytes) is RAM of one range. */
  isRam(base: PhysAddr, bytes: number): boolean {
    return rangeHolding(this.#ram, base, bytes) !== undefined;
  }

  /** Copies memory into `into`; false when some byte has no owner (nothing is then guaranteed in `into`). */
  read(address: PhysAddr, into: Uint8Array): boolean {
    if (this.isRam(address, into.length)) {
      this.#eachPiece(address, into.length, (frame, offset, at, bytes) =>
        into.set(frame.bytes.subarray(offset, offset + bytes), at),
      );
      return true;
    }
    const range = rangeHolding(this.#mmio, address, into.length);
    return range !== undefined && range.target.mmioRead(address - range.base, into);
  }

  /** Copies `from` into memory; false when some byte has no owner (then nothing was written). */
  write(address: PhysAddr, from: Uint8Array): boolean {
    if (this.isRam(address, from.length)) {
      this.#eachPiece(address, from.length, (frame, offset, at, bytes) =>
        frame.bytes.set(from.subarray(at, at + bytes), offset),
      );
      return true;
    }
    const range = rangeHolding(this.#mmio, address, from.length);
    return range !== undefined && range.target.mmioWrite(address - range.base, from);
  }

  /** The 1024 little-endian words of a RAM frame, live: a store is a store to memory. */
  frameWords(frameNumber: number): Uint32Array {
    return this.#frame(frameNumber).words;
  }

  /** The 4096 bytes of a RAM frame, live. */
  frameBytes(frameNumber: number): Uint8Array {
    return this.#frame(frameNumber).bytes;
  }

  #frame(frameNumber: number): Frame {
    if (frameNumber === this.#lastFrameNumber && this.#lastFrame !== undefined) {
      return this.#lastFrame;
    }
    let frame = this.#frames.get(frameNumber);
    if (frame === undefined) {
      const base = (frameNumber * PAGE_SIZE) as PhysAddr;
      if (!this.isRam(base, PAGE_SIZE)) throw new InternalError(`${hex(base)} is not RAM`);
      const store = new ArrayBuffer(PAGE_SIZE);
      frame = { words: new Uint32Array(store), bytes: new Uint8Array(store) };
      this.#frames.set(frameNumber, frame);
    }
    this.#lastFrameNumber = frameNumber;
    this.#lastFrame = frame;
    return frame;
  }

  #eachPiece(
    address: PhysAddr,
    length: number,
    visit: (frame: Frame, offset: number, at: number, bytes: number) => void,
  ): void {
    let frameNumber = frameOf(address);
    let offset = offsetWithin(address, PAGE_SIZE);
    for (let at = 0; at < length; ) {
      const bytes = Math.min(PAGE_SIZE - offset, length - at);
      visit(this.#frame(frameNumber), offset, at, bytes);
      at += bytes;
      offset = 0;
      frameNumber += 1;
    }
  }

  #claim(base: PhysAddr, bytes: number): void {
    const whole = alignDown(base, PAGE_SIZE) === base && alignDown(bytes, PAGE_SIZE) === bytes;
    if (!whole || bytes <= 0) throw new InternalError(`range ${hex(base)}+${hex(bytes)} is not whole pages`);
    for (const range of [...this.#ram, ...this.#mmio]) {
      if (base < range.base + range.bytes && range.base < base + bytes) {
        throw new InternalError(`range ${hex(base)}+${hex(bytes)} overlaps ${hex(range.base)}`);
      }
    }
  }
}

function rangeHolding<R extends PhysRange>(
  ranges: readonly R[],
  base: PhysAddr,
  bytes: number,
): R | undefined {
  for (const range of ranges) {
    if (base >= range.base && base + bytes <= range.base + range.bytes) return range;
  }
  return undefined;
}
