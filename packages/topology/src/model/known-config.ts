// Configuration bytes of which only some were dumped: every byte with the bits of it that are known.
// Source followed: PCI Express Base Specification 6.0, section 7.2; dumps of 64, 256 or 4096 bytes, or with holes.
// Grows with what is written, so that a function without bytes costs nothing.
// Simplified: no read-only bits and no side effects: these are bytes of a file, not of a device.

import { CONFIG_SPACE_BYTES } from '@sgfree/hw-model';

const sizes = [0, 64, 256, CONFIG_SPACE_BYTES] as const;

/**
 * Bytes of one function's configuration space as far as a dump shows them.
 * @public
 */
export class KnownConfig {
  #bytes: Uint8Array = new Uint8Array(0);
  #known: Uint8Array = new Uint8Array(0);

  /** The bytes; what is not known is zero. As long as the dump reaches: 0, 64, 256 or 4096. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** For each byte, a one for every known bit: 0xff for a dumped byte. */
  get known(): Uint8Array {
    return this.#known;
  }

  /** How many leading bytes are known without a hole. */
  get knownPrefix(): number {
    const hole = this.#known.findIndex((mask) => mask !== 0xff);
    return hole < 0 ? this.#known.length : hole;
  }

  /** Sets one dumped byte; offsets from 4096 on are ignored. */
  setByte(offset: number, value: number): void {
    if (offset >= this.#bytes.length && !this.#grow(offset)) return;
    this.#bytes[offset] = value;
    this.#known[offset] = 0xff;
  }

  /** Whether the byte was dumped as something else than `value`. */
  contradicts(offset: number, value: number): boolean {
    return this.#known[offset] === 0xff && this.#bytes[offset] !== value;
  }

  /** Declares a byte unknown again. */
  forget(offset: number): void {
    if (offset >= this.#known.length) return;
    this.#bytes[offset] = 0;
    this.#known[offset] = 0;
  }

  /** The little-endian value of `width` bytes at `offset` (1, 2 or 4), unless a bit of it is unknown. */
  read(offset: number, width: 1 | 2 | 4): number | 'unknown' {
    let value = 0;
    for (let i = width - 1; i >= 0; i -= 1) {
      if (this.#known[offset + i] !== 0xff) return 'unknown';
      value = value * 256 + (this.#bytes[offset + i] ?? 0);
    }
    return value;
  }

  #grow(offset: number): boolean {
    const size = sizes.find((bytes) => bytes > offset);
    if (size === undefined) return false;
    const bytes = new Uint8Array(size);
    const known = new Uint8Array(size);
    bytes.set(this.#bytes);
    known.set(this.#known);
    this.#bytes = bytes;
    this.#known = known;
    return true;
  }
}
