// DirectIo: one O_DIRECT preadv or pwritev as the block layer meets it: where on the disk, and which memory, exactly.
// Source followed: block/fops.c (blkdev_direct_IO): an I/O becomes bios of at most BIO_MAX_VECS entries each.
// Simplified: the file position equals the disk position (a raw block device); pages are already pinned.

import { addOffset, alignDown, offsetWithin, PAGE_SIZE } from '@sgfree/hw-model';
import { type BioVec, bioVecsOf, cutBioVecs, type PageBacking, totalBytes } from './bio-vec.ts';

/**
 * Direction of an I/O seen from the host: `read` fills memory, `write` reads it.
 * @public
 */
export type IoOperation = 'read' | 'write';

/**
 * One preadv or pwritev. `position` is a byte offset on the disk.
 * @public
 */
export interface DirectIo {
  readonly operation: IoOperation;
  readonly position: number;
  /** Per iovec its physical pieces, in order; a piece need not be cut at page boundaries. */
  readonly iovecs: readonly (readonly BioVec[])[];
}

/**
 * A bio: one part of an I/O with its own bio_vecs.
 * @public
 */
export interface Bio {
  readonly operation: IoOperation;
  /** Byte offset on the disk. */
  readonly position: number;
  readonly vecs: readonly BioVec[];
}

/**
 * Entries of the largest bio (`BIO_MAX_VECS`).
 * @public
 */
export const BIO_MAX_VECS = 256;

/** Every piece of an I/O, cut at 4 KiB page boundaries. */
function* pagePieces(io: DirectIo): Generator<BioVec> {
  for (const pieces of io.iovecs) {
    for (const piece of pieces) {
      let { phys, bytes } = piece;
      while (bytes > 0) {
        const here = Math.min(PAGE_SIZE - offsetWithin(phys, PAGE_SIZE), bytes);
        yield { phys, bytes: here };
        bytes -= here;
        if (bytes > 0) phys = addOffset(phys, here);
      }
    }
  }
}

/**
 * The bios of an I/O. Each but the last is cut down to a multiple of `blockBytes`; what was cut starts the next bio.
 * @public
 */
export function buildBios(io: DirectIo, backing: PageBacking, blockBytes: number): Bio[] {
  const bios: Bio[] = [];
  let position = io.position;
  let left = bioVecsOf(pagePieces(io), backing);
  while (left.length > 0) {
    const full = totalBytes(left.slice(0, BIO_MAX_VECS));
    const whole = alignDown(full, blockBytes);
    // 256 pieces that are less than a block stay as they are: splitting refuses them.
    const bytes = left.length > BIO_MAX_VECS && whole > 0 ? whole : full;
    const { head, tail } = cutBioVecs(left, bytes);
    bios.push({ operation: io.operation, position, vecs: head });
    position += bytes;
    left = tail;
  }
  return bios;
}
