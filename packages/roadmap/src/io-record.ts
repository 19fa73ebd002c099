// IoRecord: one disk I/O of the list that every stage runs: operation, place on the disk, exact memory.
// Source followed: the records of preadv and pwritev on a raw NVMe disk (vectors/kernel/README.md, section io/).
// Simplified: I/Os run one after the other, as one thread with synchronous calls issues them.

import type { PhysAddr } from '@sgfree/hw-model';

/**
 * A physically contiguous piece of memory.
 * @public
 */
export interface MemoryPiece {
  readonly phys: PhysAddr;
  readonly bytes: number;
}

/**
 * One preadv or pwritev. `position` and all lengths are bytes; `read` fills memory.
 * @public
 */
export interface IoRecord {
  readonly operation: 'read' | 'write';
  readonly position: number;
  /** Per iovec its pieces, in the order of the data. Pieces of different iovecs may overlap, as the kernel allows. */
  readonly iovecs: readonly (readonly MemoryPiece[])[];
}

/**
 * What backs the buffers: 4 KiB pages, or 2 MiB huge pages inside which neighbouring pages are one segment.
 * @public
 */
export type PageBacking = 'base-pages' | 'huge-pages';

/**
 * All pieces of an I/O in the order of the data.
 * @internal
 */
export const piecesOf = (io: IoRecord): MemoryPiece[] => io.iovecs.flat();

/**
 * Bytes an I/O moves.
 * @public
 */
export function ioBytes(io: IoRecord): number {
  let bytes = 0;
  for (const pieces of io.iovecs) for (const piece of pieces) bytes += piece.bytes;
  return bytes;
}
