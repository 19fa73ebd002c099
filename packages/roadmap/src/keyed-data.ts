// KeyedData: what every byte of a run must be: a function of seed, block address and offset in the block.
// Source followed: the project's rule that a wrong or a stale byte is always seen; the mixer is a 32-bit
// multiply-and-xor hash, two rounds per four bytes.
// Simplified: blocks of one size per generator; not for cryptography.

/**
 * Fills blocks with data that belongs to one seed.
 * @public
 */
export class KeyedData {
  readonly #seed: number;
  readonly #blockBytes: number;

  /** `seed`: any integer; its low 32 bits count. `blockBytes`: a multiple of 4. */
  constructor(seed: number, blockBytes: number) {
    this.#seed = mix(seed >>> 0, 0x9e3779b9);
    this.#blockBytes = blockBytes;
  }

  /** Fills `into` with the bytes of the disk from block `lba` on; whole blocks. */
  fill(lba: number, into: Uint8Array): void {
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    for (let at = 0, block = lba; at < into.length; at += this.#blockBytes, block += 1) {
      const key = mix(this.#seed ^ Math.floor(block / 2 ** 32), block >>> 0);
      for (let word = 0; word < this.#blockBytes; word += 4) {
        view.setUint32(at + word, mix(key, word), true);
      }
    }
  }
}

function mix(key: number, value: number): number {
  let mixed = Math.imul(key ^ value ^ (value << 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15) ^ Math.imul(value + 1, 0x9e3779b9)) >>> 0;
}
