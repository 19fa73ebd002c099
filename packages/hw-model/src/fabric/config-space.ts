// ConfigSpace: the 4096 configuration bytes of one PCI function, little endian, with their read-only bits.
// Source followed: PCI Express Base Specification 6.0, section 7.2 (configuration mechanisms) and 7.4 (access types).
// BAR sizing needs no code here: the low bits of a BAR are read-only zeros, so "write ones, read back" shows its size.
// Simplified: write-1-to-clear bits are read-only; every access is aligned to its width.

import { InternalError } from '../internal-error.ts';

/**
 * Bytes of one function's configuration space.
 * @public
 */
export const CONFIG_SPACE_BYTES = 4096;

/**
 * Width of a configuration access, in bytes.
 * @public
 */
export type ConfigWidth = 1 | 2 | 4;

/**
 * Configuration bytes of one function. Software uses `read` and `write`; hardware builds it with `preset` and `permit`.
 * @public
 */
export class ConfigSpace {
  readonly #bytes: Uint8Array = new Uint8Array(CONFIG_SPACE_BYTES);
  readonly #view: DataView = new DataView(this.#bytes.buffer);
  readonly #writable: Uint8Array = new Uint8Array(CONFIG_SPACE_BYTES);
  #generation = 0;

  /** Starts from recorded bytes (a dump of 64, 256 or 4096 bytes), or from zeros. All bits start read-only. */
  constructor(recorded?: Uint8Array) {
    if (recorded !== undefined) this.#bytes.set(recorded);
  }

  /** Changes with every change of a byte: whoever caches a decoded field compares it. */
  get generation(): number {
    return this.#generation;
  }

  /** The value at `offset`, an unsigned number. */
  read(offset: number, width: ConfigWidth): number {
    this.#check(offset, width);
    if (width === 1) return this.#view.getUint8(offset);
    return width === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint32(offset, true);
  }

  /** A configuration write of software: read-only bits keep their value. */
  write(offset: number, width: ConfigWidth, value: number): void {
    this.#check(offset, width);
    for (let i = 0; i < width; i += 1) {
      const at = offset + i;
      const mask = this.#writable[at] ?? 0;
      this.#bytes[at] = ((this.#bytes[at] ?? 0) & ~mask) | ((value >>> (8 * i)) & mask);
    }
    this.#generation += 1;
  }

  /** Hardware sets a value, read-only bits included. */
  preset(offset: number, width: ConfigWidth, value: number): void {
    this.#check(offset, width);
    for (let i = 0; i < width; i += 1) this.#bytes[offset + i] = value >>> (8 * i);
    this.#generation += 1;
  }

  /** Makes the bits of `mask` writable by software and all others of the field read-only. */
  permit(offset: number, width: ConfigWidth, mask: number): void {
    this.#check(offset, width);
    for (let i = 0; i < width; i += 1) this.#writable[offset + i] = mask >>> (8 * i);
  }

  /** A copy of all bytes, as a dump shows them. */
  dump(): Uint8Array {
    return this.#bytes.slice();
  }

  #check(offset: number, width: ConfigWidth): void {
    if (!(offset >= 0 && offset + width <= CONFIG_SPACE_BYTES) || offset % width !== 0) {
      throw new InternalError(`configuration access of ${width} bytes at ${offset}`);
    }
  }
}
