// CpuCache: a write-back cache of the CPU before memory, as devices that do not snoop it meet it.
// Source followed: Arm Architecture Reference Manual (clean, invalidate, clean and invalidate to the point of coherency;
// maintenance is complete only behind a barrier). Devices read and write memory and never look in here.
// A cleaned line is on its way until the barrier: the CPU sees it, memory does not have it. Evictions arrive at once.
// Simplified: one level, fully associative, for all CPUs; MMIO is not cached; nobody but the CPU and the caller fills it;
// no device snoops it, so that it suits machines without coherent devices only.

import type { PhysAddr } from '../addresses.ts';
import type { ChoicePolicy } from '../choice-policy.ts';
import { firstChoice } from '../choice-policy.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { CACHE_LINE_BYTES, type CacheLine, forEachLine } from './cache-line.ts';
import type { CpuView } from './cpu-view.ts';

/**
 * A cache before `memory`.
 * @public
 */
export interface CpuCacheOptions {
  readonly memory: PhysicalMemory;
  /** Lines held at most; without it none is evicted but by {@link CpuCache.evict}. */
  readonly capacityLines?: number;
  /** Picks the line to evict, of those held, the longest held first; default the first. */
  readonly victim?: ChoicePolicy;
}

/**
 * What becomes of a dirty line of which an invalidated range holds only a part: written back first, so that the
 * neighbours' bytes live on (and its stale ones overwrite what a device wrote there), or lost.
 * @public
 */
export type PartialLines = 'clean' | 'drop';

/**
 * The cache. Sizes are bytes; ranges are widened to whole lines.
 * @public
 */
export class CpuCache implements CpuView {
  /** Lines filled, written back, and dropped while dirty. */
  readonly counters: { fills: number; writeBacks: number; dirtyDropped: number } = {
    fills: 0,
    writeBacks: 0,
    dirtyDropped: 0,
  };
  readonly #memory: PhysicalMemory;
  readonly #capacity: number;
  readonly #victim: ChoicePolicy;
  readonly #lines = new Map<PhysAddr, CacheLine>();
  /** Lines that were cleaned and have not arrived yet. */
  readonly #leaving = new Map<PhysAddr, Uint8Array>();

  constructor({ memory, capacityLines = Number.POSITIVE_INFINITY, victim = firstChoice }: CpuCacheOptions) {
    this.#memory = memory;
    this.#capacity = Math.max(1, capacityLines);
    this.#victim = victim;
  }

  /** Lines held. */
  get lines(): number {
    return this.#lines.size;
  }

  /** Lines held that memory does not have. */
  get dirtyLines(): number {
    return [...this.#lines.values()].filter(({ dirty }) => dirty).length;
  }

  /** State of the line that holds an address. */
  stateOf(address: PhysAddr): 'absent' | 'clean' | 'dirty' {
    let state: 'absent' | 'clean' | 'dirty' = 'absent';
    forEachLine(address, 1, (line) => {
      const held = this.#lines.get(line);
      if (held !== undefined) state = held.dirty ? 'dirty' : 'clean';
    });
    return state;
  }

  /** A load; false when no one owns some byte. Loads of MMIO pass by. */
  read(address: PhysAddr, into: Uint8Array, at = 0, count: number = into.length - at): boolean {
    if (!this.#memory.isRam(address, count)) return this.#memory.read(address, into, at, count);
    forEachLine(address, count, (line, offset, bytes, done) => {
      into.set(this.#held(line).bytes.subarray(offset, offset + bytes), at + done);
    });
    return true;
  }

  /** A store: the line is filled and becomes dirty. Stores to MMIO pass by. */
  write(address: PhysAddr, from: Uint8Array, at = 0, count: number = from.length - at): boolean {
    if (!this.#memory.isRam(address, count)) return this.#memory.write(address, from, at, count);
    forEachLine(address, count, (line, offset, bytes, done) => {
      const held = this.#held(line);
      held.bytes.set(from.subarray(at + done, at + done + bytes), offset);
      held.dirty = true;
    });
    return true;
  }

  /** Fills lines as speculation does: nobody asked for the bytes. */
  prefetch(address: PhysAddr, bytes: number): void {
    if (!this.#memory.isRam(address, bytes)) return;
    forEachLine(address, bytes, (line) => {
      this.#held(line);
    });
  }

  /** Sends dirty lines on their way to memory and keeps them; {@link CpuCache.barrier} waits for them. */
  clean(address: PhysAddr, bytes: number): void {
    forEachLine(address, bytes, (line) => this.#clean(line));
  }

  /** Forgets lines. Lines of which the range holds only a part are treated as `partial` says. */
  invalidate(address: PhysAddr, bytes: number, partial: PartialLines = 'clean'): void {
    forEachLine(address, bytes, (line, _offset, count) => {
      if (partial === 'clean' && count < CACHE_LINE_BYTES) this.#clean(line);
      if (this.#lines.get(line)?.dirty === true) this.counters.dirtyDropped += 1;
      this.#lines.delete(line);
    });
  }

  /** Sends dirty lines on their way and forgets all of the range. */
  cleanInvalidate(address: PhysAddr, bytes: number): void {
    this.clean(address, bytes);
    forEachLine(address, bytes, (line) => {
      this.#lines.delete(line);
    });
  }

  /** Waits until everything that was cleaned has arrived. */
  barrier(): void {
    for (const [line, bytes] of this.#leaving) this.#memory.write(line, bytes);
    this.#leaving.clear();
  }

  /** Gives the line of an address up, as a cache may at any time; a dirty one arrives in memory at once. */
  evict(address: PhysAddr): void {
    forEachLine(address, 1, (line) => this.#evict(line));
  }

  /** Gives every line up. */
  evictAll(): void {
    for (const line of [...this.#lines.keys()]) this.#evict(line);
  }

  #held(line: PhysAddr): CacheLine {
    const held = this.#lines.get(line);
    if (held !== undefined) return held;
    if (this.#lines.size >= this.#capacity) this.#evict(this.#chosenVictim());
    const filled = { bytes: new Uint8Array(CACHE_LINE_BYTES), dirty: false };
    const leaving = this.#leaving.get(line);
    if (leaving !== undefined) filled.bytes.set(leaving);
    else this.#memory.read(line, filled.bytes);
    this.counters.fills += 1;
    this.#lines.set(line, filled);
    return filled;
  }

  #chosenVictim(): PhysAddr {
    const held = [...this.#lines.keys()];
    const index = held.length > 1 ? this.#victim(held.length) : 0;
    return held[index] as PhysAddr;
  }

  #clean(line: PhysAddr): void {
    const held = this.#lines.get(line);
    if (held === undefined || !held.dirty) return;
    held.dirty = false;
    this.counters.writeBacks += 1;
    this.#leaving.set(line, held.bytes.slice());
  }

  #evict(line: PhysAddr): void {
    const held = this.#lines.get(line);
    this.#lines.delete(line);
    if (held === undefined || !held.dirty) return;
    this.counters.writeBacks += 1;
    // What was on its way is older: it must not arrive behind this.
    this.#leaving.delete(line);
    this.#memory.write(line, held.bytes);
  }
}
