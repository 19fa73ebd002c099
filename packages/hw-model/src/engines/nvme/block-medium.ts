// BlockMedium: what a controller stores on: numbered blocks, sparse, with a known content before the first write.
// Source followed: NVM Express NVM Command Set 1.0, section 2.1 (logical blocks).
// Blocks are kept in groups of 4 KiB, so that a long transfer copies few pieces.
// Simplified: no metadata, no wear, no latency; a write is atomic.

import { InternalError } from '../../internal-error.ts';

/**
 * Fills `into` (one block) with what block `lba` holds before it is ever written.
 * @public
 */
export type BlockPattern = (lba: number, into: Uint8Array) => void;

interface BlockGroup {
  readonly bytes: Uint8Array;
  /** One bit per block: set once the block was written; the others are not valid. */
  written: number;
}

const GROUP_BYTES = 4096;

/**
 * A sparse store of logical blocks.
 * @public
 */
export class BlockMedium {
  readonly blockBytes: 512 | 4096;
  readonly blockCount: number;
  readonly #pattern: BlockPattern;
  readonly #groupBlocks: number;
  readonly #groups = new Map<number, BlockGroup>();
  #writtenBlocks = 0;

  /** Without a pattern unwritten blocks read as zeros. */
  constructor(spec: {
    readonly blockBytes: 512 | 4096;
    readonly blockCount: number;
    readonly pattern?: BlockPattern;
  }) {
    this.blockBytes = spec.blockBytes;
    this.blockCount = spec.blockCount;
    this.#groupBlocks = GROUP_BYTES / spec.blockBytes;
    this.#pattern = spec.pattern ?? ((_lba, into) => into.fill(0));
  }

  /** Blocks written at least once. */
  get writtenBlocks(): number {
    return this.#writtenBlocks;
  }

  /** True when all `blocks` blocks from `lba` on exist. */
  holds(lba: number, blocks: number): boolean {
    return lba + blocks <= this.blockCount;
  }

  /** Reads whole blocks from `lba` on. */
  read(lba: number, into: Uint8Array): void {
    this.#eachGroup(lba, into, (number, first, blocks, piece) => {
      const group = this.#groups.get(number);
      const wanted = blockBits(first, blocks);
      const written = (group?.written ?? 0) & wanted;
      if (group !== undefined && written === wanted) {
        piece.set(group.bytes.subarray(first * this.blockBytes, (first + blocks) * this.blockBytes));
      } else {
        this.#readMixed(number, first, piece);
      }
    });
  }

  /** Writes whole blocks from `lba` on. */
  write(lba: number, from: Uint8Array): void {
    this.#eachGroup(lba, from, (number, first, blocks, piece) => {
      let group = this.#groups.get(number);
      if (group === undefined) {
        group = { bytes: new Uint8Array(GROUP_BYTES), written: 0 };
        this.#groups.set(number, group);
      }
      group.bytes.set(piece, first * this.blockBytes);
      const added = blockBits(first, blocks) & ~group.written;
      group.written |= added;
      for (let bits = added; bits !== 0; bits &= bits - 1) this.#writtenBlocks += 1;
    });
  }

  /** A piece of a group of which not all blocks were written. */
  #readMixed(number: number, first: number, piece: Uint8Array): void {
    const group = this.#groups.get(number);
    for (let at = 0, block = first; at < piece.length; at += this.blockBytes, block += 1) {
      const target = piece.subarray(at, at + this.blockBytes);
      if (group === undefined || (group.written & (1 << block)) === 0) {
        this.#pattern(number * this.#groupBlocks + block, target);
      } else {
        target.set(group.bytes.subarray(block * this.blockBytes, (block + 1) * this.blockBytes));
      }
    }
  }

  #eachGroup(
    lba: number,
    data: Uint8Array,
    visit: (number: number, first: number, blocks: number, piece: Uint8Array) => void,
  ): void {
    const count = data.length / this.blockBytes;
    if (!Number.isInteger(count) || !this.holds(lba, count)) {
      throw new InternalError(`${data.length} bytes at block ${lba} of ${this.blockCount}`);
    }
    for (let done = 0; done < count; ) {
      const number = Math.floor((lba + done) / this.#groupBlocks);
      const first = lba + done - number * this.#groupBlocks;
      const blocks = Math.min(this.#groupBlocks - first, count - done);
      visit(number, first, blocks, data.subarray(done * this.blockBytes, (done + blocks) * this.blockBytes));
      done += blocks;
    }
  }
}

/** The bits of `blocks` blocks from `first` on. */
function blockBits(first: number, blocks: number): number {
  return ((1 << blocks) - 1) << first;
}
