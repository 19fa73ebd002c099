// IoData: the content of memory and disk around each I/O: fills what the device will read, spoils what it must write,
// and compares every byte afterwards.
// Source followed: the project's rule: data is a keyed function of (seed, block address, offset).
// Simplified: memory next to the buffers is not watched.

import { addOffset, BlockMedium, byteDistance, type PhysAddr, type PhysicalMemory } from '@sgfree/hw-model';
import { ByteComparison } from './byte-comparison.ts';
import { type IoRecord, ioBytes, type MemoryPiece, piecesOf } from './io-record.ts';
import { KeyedData } from './keyed-data.ts';

/** Bytes of a logical block of every disk here. @internal */
export const BLOCK_BYTES = 512;

/**
 * Outcome of comparing one I/O.
 * @public
 */
export interface IoVerdict {
  readonly verified: number;
  readonly wrong: number;
  readonly contested: number;
  /** Where the first wrong byte is; null when there is none. */
  readonly firstWrong: string | null;
}

/**
 * Data of one run. The medium must have been made by {@link mediumFor} with the same seed.
 * @internal
 */
export class IoData {
  readonly #memory: PhysicalMemory;
  readonly #medium: BlockMedium;
  readonly #seed: number;
  /** What the medium must hold. */
  readonly #shadow: BlockMedium;
  #expected: Uint8Array = new Uint8Array(0);
  /** What the disk held before a write. */
  #before: Uint8Array = new Uint8Array(0);

  constructor(memory: PhysicalMemory, medium: BlockMedium, seed: number) {
    this.#memory = memory;
    this.#medium = medium;
    this.#seed = seed;
    this.#shadow = mediumFor(seed, medium.blockCount);
  }

  /** Prepares I/O number `index`. */
  prepare(io: IoRecord, index: number): void {
    const blockBytes = this.#medium.blockBytes;
    const lba = io.position / blockBytes;
    const expected = new Uint8Array(ioBytes(io));
    this.#expected = expected;
    const pieces = piecesOf(io);
    if (io.operation === 'write') {
      // Each I/O has a key of its own: what an earlier write left in a block is wrong too.
      new KeyedData(this.#seed + index + 1, blockBytes).fill(lba, expected);
      this.#scatter(pieces, expected);
      // Where the caller's ranges overlap, the last filled one holds: read back what memory really says.
      this.#gather(pieces, expected);
      this.#before = new Uint8Array(expected.length);
      this.#shadow.read(lba, this.#before);
      this.#shadow.write(lba, expected);
      return;
    }
    this.#shadow.read(lba, expected);
    this.#scatter(
      pieces,
      expected.map((byte) => byte ^ 0xff),
    );
  }

  /** Compares I/O number `index` after it ended. */
  verify(io: IoRecord): IoVerdict {
    const expected = this.#expected;
    const found = new Uint8Array(expected.length);
    const pieces = piecesOf(io);
    this.#gather(pieces, found);
    const contested = io.operation === 'read' ? contestedBytes(pieces) : 0;
    const comparison = new ByteComparison(`${io.operation} at ${io.position}`, expected);
    comparison.memory(pieces, found, contested > 0);
    if (io.operation === 'write') {
      this.#medium.read(io.position / this.#medium.blockBytes, found);
      comparison.disk(found);
    }
    const { wrong, firstWrong } = comparison;
    return { verified: expected.length, wrong, contested, firstWrong };
  }

  /** Compares I/O number `index`, which must have been refused: memory and disk are as {@link IoData.prepare} left them. */
  verifyUntouched(io: IoRecord): IoVerdict {
    const pieces = piecesOf(io);
    const lba = io.position / this.#medium.blockBytes;
    const inMemory = io.operation === 'write' ? this.#expected : this.#expected.map((byte) => byte ^ 0xff);
    const found = new Uint8Array(inMemory.length);
    this.#gather(pieces, found);
    const contested = io.operation === 'read' ? contestedBytes(pieces) : 0;
    const comparison = new ByteComparison(`refused ${io.operation} at ${io.position}`, inMemory);
    comparison.memory(pieces, found, contested > 0);
    if (io.operation === 'write') this.#shadow.write(lba, this.#before);
    const onDisk = io.operation === 'write' ? this.#before : this.#expected;
    this.#medium.read(lba, found);
    const disk = new ByteComparison(`refused ${io.operation} at ${io.position}`, onDisk);
    disk.disk(found);
    const firstWrong = comparison.firstWrong ?? disk.firstWrong;
    return { verified: found.length, wrong: comparison.wrong + disk.wrong, contested, firstWrong };
  }

  #scatter(pieces: readonly MemoryPiece[], from: Uint8Array): void {
    let at = 0;
    for (const { phys, bytes } of pieces) {
      this.#memory.write(phys, from.subarray(at, at + bytes));
      at += bytes;
    }
  }

  #gather(pieces: readonly MemoryPiece[], into: Uint8Array): void {
    let at = 0;
    for (const { phys, bytes } of pieces) {
      this.#memory.read(phys, into.subarray(at, at + bytes));
      at += bytes;
    }
  }
}

/**
 * A medium of blocks of {@link BLOCK_BYTES} whose unwritten content belongs to `seed`.
 * @internal
 */
export function mediumFor(seed: number, blockCount: number): BlockMedium {
  const initial = new KeyedData(seed, BLOCK_BYTES);
  return new BlockMedium({
    blockBytes: BLOCK_BYTES,
    blockCount,
    pattern: (lba, into) => initial.fill(lba, into),
  });
}

/** Bytes that a piece shares with pieces before it in memory. */
function contestedBytes(pieces: readonly MemoryPiece[]): number {
  const sorted = [...pieces].sort((a, b) => byteDistance(b.phys, a.phys));
  let contested = 0;
  let end: PhysAddr | null = null;
  for (const { phys, bytes } of sorted) {
    const covered = end === null ? 0 : byteDistance(phys, end);
    contested += Math.max(0, Math.min(covered, bytes));
    if (covered < bytes) end = addOffset(phys, bytes);
  }
  return contested;
}
