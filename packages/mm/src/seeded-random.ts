// SeededRandom: a small repeatable number source, so that memory shapes are a pure function of a seed.
// Source followed: none in the kernel; the generator is a 32-bit multiply-and-xor mixer over a counter.
// Simplified: not for cryptography or statistics.

/**
 * Repeatable pseudo-random integers.
 * @public
 */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next 32-bit unsigned integer. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** An integer in [0, bound); `bound` below 2^32. */
  below(bound: number): number {
    return this.next() % bound;
  }
}
