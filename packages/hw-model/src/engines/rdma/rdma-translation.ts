// RdmaTranslation: the blocks of DMA addresses behind one memory key, kept inside the NIC.
// Source followed: the kernel's mlx5 driver (hw/mlx5/mr.c, odp.c): an entry is 8 bytes, big-endian, the address with
// bit 0 = may be read and bit 1 = may be written; zapping stores zero words, and a zero word translates nothing.
// Simplified: one level, all blocks of one size; no lists of keys (KLM, KSM).

import { type DmaAddr, dmaAddr, highWord, lowWord } from '../../addresses.ts';
import { InternalError } from '../../internal-error.ts';

/** Bit of an entry: the block may be read. */
const ENTRY_READ = 1;
/** Bit of an entry: the block may be written. */
const ENTRY_WRITE = 2;
const ENTRY_BITS: number = ENTRY_READ + ENTRY_WRITE;

/**
 * Bytes of a translation entry.
 * @public
 */
export const RDMA_ENTRY_BYTES = 8;

/**
 * A table of block addresses. Block `i` stands for the bytes from `i * pageBytes` on of the region's first block.
 * @public
 */
export class RdmaTranslation {
  /** Block size in bytes, a power of two, at least 4096. */
  readonly pageBytes: number;
  readonly entries: number;
  readonly #table: DataView;

  /** Every entry starts as zero: nothing is translated. */
  constructor(pageBytes: number, entries: number) {
    if (!(Number.isInteger(Math.log2(pageBytes)) && pageBytes >= 4096)) {
      throw new InternalError(`translation blocks of ${pageBytes} bytes`);
    }
    this.pageBytes = pageBytes;
    this.entries = entries;
    this.#table = new DataView(new ArrayBuffer(entries * RDMA_ENTRY_BYTES));
  }

  /** A table of exactly `blocks`, each at a multiple of `pageBytes`, readable and (by default) writable. */
  static of(pageBytes: number, blocks: readonly DmaAddr[], writable = true): RdmaTranslation {
    const made = new RdmaTranslation(pageBytes, blocks.length);
    for (let i = 0; i < blocks.length; i += 1) made.set(i, blocks[i] as DmaAddr, writable);
    return made;
  }

  /** Stores one entry. */
  set(index: number, block: DmaAddr, writable = true): void {
    const low = lowWord(block);
    if ((low & 0xfff) !== 0) throw new InternalError(`block address with offset ${low & 0xfff}`);
    this.#table.setUint32(index * RDMA_ENTRY_BYTES, highWord(block));
    this.#table.setUint32(index * RDMA_ENTRY_BYTES + 4, low + ENTRY_READ + (writable ? ENTRY_WRITE : 0));
  }

  /** Stores zero in `count` entries from `first` on (default: all). */
  zap(first = 0, count: number = this.entries - first): void {
    for (let i = first; i < first + count; i += 1) {
      this.#table.setUint32(i * RDMA_ENTRY_BYTES, 0);
      this.#table.setUint32(i * RDMA_ENTRY_BYTES + 4, 0);
    }
  }

  /** True when entry `index` exists and permits the access. */
  permits(index: number, write: boolean): boolean {
    if (!(index >= 0 && index < this.entries)) return false;
    const bits = this.#table.getUint32(index * RDMA_ENTRY_BYTES + 4);
    return (bits & (write ? ENTRY_WRITE : ENTRY_READ)) !== 0;
  }

  /** The address `offset` bytes into block `index`, which must be one that is permitted. */
  address(index: number, offset: number): DmaAddr {
    const high = this.#table.getUint32(index * RDMA_ENTRY_BYTES);
    const low = this.#table.getUint32(index * RDMA_ENTRY_BYTES + 4);
    return dmaAddr(high * 2 ** 32 + low - (low & ENTRY_BITS) + offset);
  }

  /** The entries as the device's memory holds them. */
  get words(): Uint8Array {
    return new Uint8Array(this.#table.buffer).slice();
  }
}
