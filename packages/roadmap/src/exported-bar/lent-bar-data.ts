// LentBarData: the I/Os of a list as transfers of the peer: what was a disk behind the requests is now the peer's memory.
// A read of the disk becomes an RDMA WRITE into the BAR, a write of the disk an RDMA READ out of it; the peer's memory is
// filled from a medium and stored to it, so that data is keyed and compared as at every other stage.
// Source followed: the project's rule: the same I/O at every stage, every byte compared at the far end.
// Simplified: one transfer per run of adjacent bytes in the BAR.

import { type BlockMedium, byteDistance, type PhysAddr } from '@sgfree/hw-model';
import { type IoRecord, ioBytes, type MemoryPiece, piecesOf } from '../io-record.ts';
import type { FarComputer, FarTransfer } from './far-computer.ts';

/**
 * The peer's data and transfers.
 * @internal
 */
export class LentBarData {
  readonly #far: FarComputer;
  readonly #medium: BlockMedium;
  /** Where the BAR begins, and the key of the region over it. */
  readonly #bar: PhysAddr;
  readonly #rkey: number;

  constructor(far: FarComputer, medium: BlockMedium, bar: PhysAddr, rkey: number) {
    this.#far = far;
    this.#medium = medium;
    this.#bar = bar;
    this.#rkey = rkey;
  }

  /** Fills the peer's buffer: with the data to be written into the BAR, or with what must not be there after a read. */
  prepare(io: IoRecord): void {
    const bytes = new Uint8Array(ioBytes(io));
    this.#medium.read(this.#block(io), bytes);
    this.#far.store(0, io.operation === 'read' ? bytes : bytes.map((byte) => byte ^ 0xff));
  }

  /** What the peer has to do for `io`. */
  transfersOf(io: IoRecord): FarTransfer[] {
    const opcode = io.operation === 'read' ? 'rdma-write' : 'rdma-read';
    let at = 0;
    return adjacentRuns(piecesOf(io)).map(({ phys, bytes }) => {
      const remoteAddr = byteDistance(this.#bar, phys);
      const transfer: FarTransfer = { opcode, at, bytes, remoteAddr, rkey: this.#rkey };
      at += bytes;
      return transfer;
    });
  }

  /** Stores what the peer read out of the BAR. */
  finish(io: IoRecord): void {
    if (io.operation === 'read') return;
    const bytes = new Uint8Array(ioBytes(io));
    this.#far.load(0, bytes);
    this.#medium.write(this.#block(io), bytes);
  }

  #block({ position }: IoRecord): number {
    return position / this.#medium.blockBytes;
  }
}

/** Pieces in order; one that begins where the last ended belongs to it. */
function adjacentRuns(pieces: readonly MemoryPiece[]): MemoryPiece[] {
  const runs: MemoryPiece[] = [];
  for (const { phys, bytes } of pieces) {
    const last = runs.at(-1);
    if (last !== undefined && byteDistance(last.phys, phys) === last.bytes) {
      runs[runs.length - 1] = { phys: last.phys, bytes: last.bytes + bytes };
    } else runs.push({ phys, bytes });
  }
  return runs;
}
