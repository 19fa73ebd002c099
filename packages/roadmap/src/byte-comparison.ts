// ByteComparison: what came out of an I/O against what must be there, byte by byte.
// Source followed: the project's rule that every byte is compared. Where ranges of one read overlap in memory, the order
// of arrival is the device's business: any of the values wanted there is right.
// Simplified: the first wrong byte is described, the others are counted.

import { addOffset, byteDistance, hex, type PhysAddr } from '@sgfree/hw-model';
import type { MemoryPiece } from './io-record.ts';

/**
 * Counts the wrong bytes of one I/O.
 * @internal
 */
export class ByteComparison {
  wrong = 0;
  /** Where the first wrong byte is; null when there is none. */
  firstWrong: string | null = null;
  readonly #io: string;
  readonly #expected: Uint8Array;

  /** `io` names the I/O in descriptions. */
  constructor(io: string, expected: Uint8Array) {
    this.#io = io;
    this.#expected = expected;
  }

  /** Compares what the medium holds. */
  disk(found: Uint8Array): void {
    const expected = this.#expected;
    for (let at = 0; at < expected.length; at += 1) {
      if (found[at] !== expected[at]) this.#note(at, null, found[at] as number);
    }
  }

  /** Compares what memory holds, given in the order of the data. `overlaps`: pieces may share memory. */
  memory(pieces: readonly MemoryPiece[], found: Uint8Array, overlaps: boolean): void {
    const expected = this.#expected;
    let at = 0;
    for (const piece of pieces) {
      const sharers = overlaps ? sharersOf(piece, pieces) : [];
      for (const end = at + piece.bytes; at < end; at += 1) {
        const byte = found[at] as number;
        if (byte === expected[at]) continue;
        const phys = addOffset(piece.phys, piece.bytes - (end - at));
        if (!this.#isWanted(sharers, phys, byte)) this.#note(at, phys, byte);
      }
    }
  }

  /** True when one of the pieces that share this memory wants `byte` there. */
  #isWanted(sharers: readonly Sharer[], phys: PhysAddr, byte: number): boolean {
    return sharers.some(({ piece, at }) => {
      const offset = byteDistance(piece.phys, phys);
      return offset >= 0 && offset < piece.bytes && this.#expected[at + offset] === byte;
    });
  }

  /** `phys`: where in memory; null = on the disk. */
  #note(at: number, phys: PhysAddr | null, byte: number): void {
    this.wrong += 1;
    if (this.firstWrong !== null) return;
    const place = phys === null ? 'disk' : `memory ${hex(phys)}`;
    const wanted = hex(this.#expected[at] as number);
    this.firstWrong = `byte ${at} of the ${this.#io}, ${place}: found ${hex(byte)}, expected ${wanted}`;
  }
}

/** A piece that shares memory with another, and where its data starts. */
interface Sharer {
  readonly piece: MemoryPiece;
  readonly at: number;
}

function sharersOf(one: MemoryPiece, pieces: readonly MemoryPiece[]): Sharer[] {
  const sharers: Sharer[] = [];
  let at = 0;
  for (const piece of pieces) {
    const offset = byteDistance(one.phys, piece.phys);
    if (piece !== one && offset < one.bytes && offset + piece.bytes > 0) sharers.push({ piece, at });
    at += piece.bytes;
  }
  return sharers;
}
