// CpuFrames: whole page frames as the CPU holds them in its cache, apart from memory until they are written back.
// Source followed: VT-d specification 6.2 (page walks that do not snoop need tables written back), Arm and x86 caches.
// Who walks tables in memory sees what was written back and nothing else; a frame keeps its lines for good.
// Simplified: no eviction: a line that is not written back never arrives by luck.

import { InternalError } from '../internal-error.ts';
import type { PhysicalMemory } from '../physical-memory.ts';
import { CACHE_LINE_BYTES } from './cache-line.ts';

const LINE_WORDS = CACHE_LINE_BYTES / 4;

/**
 * The CPU's copies of frames. Words are the 1024 little-endian words of a frame.
 * @public
 */
export class CpuFrames {
  readonly #memory: PhysicalMemory;
  readonly #copies = new Map<number, Uint32Array>();
  readonly #frameOf = new Map<Uint32Array, number>();

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  /** The CPU's words of a frame, live: the same object each time. Filled from memory at first. */
  frameWords(frame: number): Uint32Array {
    const known = this.#copies.get(frame);
    if (known !== undefined) return known;
    const copy = this.#memory.frameWords(frame).slice();
    this.#copies.set(frame, copy);
    this.#frameOf.set(copy, frame);
    return copy;
  }

  /** The frame was zeroed on both sides. */
  fresh(frame: number): void {
    this.#memory.frameWords(frame).fill(0);
    this.frameWords(frame).fill(0);
  }

  /** Writes the lines that hold the words `from` to `until` back. Throws {@link InternalError} for words of no frame. */
  writeBack(words: Uint32Array, from: number, until: number): void {
    const frame = this.#frameOf.get(words);
    if (frame === undefined) throw new InternalError('words of no frame');
    const memory = this.#memory.frameWords(frame);
    const first = Math.floor(from / LINE_WORDS) * LINE_WORDS;
    const last = Math.ceil(until / LINE_WORDS) * LINE_WORDS;
    memory.set(words.subarray(first, last), first);
  }

  /** Lines that memory does not have. */
  get staleLines(): number {
    let stale = 0;
    for (const [frame, copy] of this.#copies) {
      const memory = this.#memory.frameWords(frame);
      for (let line = 0; line < copy.length; line += LINE_WORDS) {
        if (copy.subarray(line, line + LINE_WORDS).some((word, at) => word !== memory[line + at])) stale += 1;
      }
    }
    return stale;
  }
}
