// PhysicalMemory: the CPU physical address space of one machine. RAM holds real bytes, MMIO ranges answer by a target.
// RAM is sparse: a frame takes space once it is touched; untouched RAM reads as zero.
// Simplified: no caches here, one memory node, no ECC; a range no one claims refuses the access.

import {
  alignDown,
  byteDistance,
  frameOf,
  hex,
  liesWithin,
  offsetWithin,
  PAGE_SIZE,
  type PhysAddr,
  physOfFrame,
} from './addresses.ts';
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
  readonly number: number;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/** A power of two. */
const RECENT_FRAMES = 256;

/**
 * Sparse physical memory: RAM ranges with real bytes and MMIO ranges with targets.
 * @public
 */
export class PhysicalMemory {
  readonly #ram: PhysRange[] = [];
  readonly #mmio: MmioRange[] = [];
  readonly #frames = new Map<number, Frame>();
  /** Frames used lately, by the low bits of their numbers: the map is asked only when they miss. */
  readonly #recent: (Frame | undefined)[] = new Array(RECENT_FRAMES);

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

  /**
   * Copies `count` bytes of memory into `into` from index `at` on; false when some byte has no owner (nothing is then
   * guaranteed in `into`). Without `at` and `count` it fills `into`.
   */
  read(address: PhysAddr, into: Uint8Array, at = 0, count: number = into.length - at): boolean {
    if (this.isRam(address, count)) {
      this.#readRam(address, into, at, count);
      return true;
    }
    const range = rangeHolding(this.#mmio, address, count);
    return range?.target.mmioRead(byteDistance(range.base, address), slice(into, at, count)) ?? false;
  }

  /**
   * Copies `count` bytes of `from`, from index `at` on, into memory; false when some byte has no owner (then nothing
   * was written). Without `at` and `count` it copies all of `from`.
   */
  write(address: PhysAddr, from: Uint8Array, at = 0, count: number = from.length - at): boolean {
    if (this.isRam(address, count)) {
      this.#writeRam(address, from, at, count);
      return true;
    }
    const range = rangeHolding(this.#mmio, address, count);
    return range?.target.mmioWrite(byteDistance(range.base, address), slice(from, at, count)) ?? false;
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
    const slot = frameNumber & (RECENT_FRAMES - 1);
    const recent = this.#recent[slot];
    if (recent !== undefined && recent.number === frameNumber) return recent;
    const frame = this.#frames.get(frameNumber) ?? this.#touch(frameNumber);
    this.#recent[slot] = frame;
    return frame;
  }

  #touch(number: number): Frame {
    const base = physOfFrame(number);
    if (!this.isRam(base, PAGE_SIZE)) throw new InternalError(`${hex(base)} is not RAM`);
    const store = new ArrayBuffer(PAGE_SIZE);
    const frame = { number, words: new Uint32Array(store), bytes: new Uint8Array(store) };
    this.#frames.set(number, frame);
    return frame;
  }

  #readRam(address: PhysAddr, into: Uint8Array, at: number, count: number): void {
    let frameNumber = frameOf(address);
    let offset = offsetWithin(address, PAGE_SIZE);
    for (let left = count; left > 0; ) {
      const bytes = Math.min(PAGE_SIZE - offset, left);
      into.set(slice(this.#frame(frameNumber).bytes, offset, bytes), at + count - left);
      left -= bytes;
      offset = 0;
      frameNumber += 1;
    }
  }

  #writeRam(address: PhysAddr, from: Uint8Array, at: number, count: number): void {
    let frameNumber = frameOf(address);
    let offset = offsetWithin(address, PAGE_SIZE);
    for (let left = count; left > 0; ) {
      const bytes = Math.min(PAGE_SIZE - offset, left);
      this.#frame(frameNumber).bytes.set(slice(from, at + count - left, bytes), offset);
      left -= bytes;
      offset = 0;
      frameNumber += 1;
    }
  }

  #claim(base: PhysAddr, bytes: number): void {
    const whole = alignDown(base, PAGE_SIZE) === base && alignDown(bytes, PAGE_SIZE) === bytes;
    if (!whole || bytes <= 0) throw new InternalError(`range ${hex(base)}+${hex(bytes)} is not whole pages`);
    for (const range of [...this.#ram, ...this.#mmio]) {
      if (byteDistance(range.base, base) < range.bytes && byteDistance(base, range.base) < bytes) {
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
    if (liesWithin(base, bytes, range.base, range.bytes)) return range;
  }
  return undefined;
}

function slice(bytes: Uint8Array, at: number, count: number): Uint8Array {
  return count === bytes.length ? bytes : bytes.subarray(at, at + count);
}
