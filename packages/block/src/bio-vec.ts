// BioVec: one physically contiguous piece of memory in a block request, and how a user's pages become such pieces.
// Source followed: include/linux/bvec.h (struct bio_vec), block/bio.c (bio_iov_iter_get_pages); the recorded NVMe I/O
// of Linux 7.3.4 shows one entry per 4 KiB page of ordinary memory, pages joined only inside one huge page.
// Simplified: the page and the offset in it are one physical address; large folios other than huge pages do not exist.

import { addOffset, alignDown, offsetWithin, PAGE_SIZE, type PhysAddr } from '@sgfree/hw-model';

/**
 * A piece of memory (`struct bio_vec`): 1 byte up to 2^32-1 bytes at a physical address.
 * @public
 */
export interface BioVec {
  readonly phys: PhysAddr;
  readonly bytes: number;
}

/**
 * Bytes the kernel keeps per bio_vec: page pointer, length, offset.
 * @public
 */
export const BIO_VEC_BYTES = 16;

/**
 * Bytes of a huge page on x86-64.
 * @public
 */
export const HUGE_PAGE_BYTES: number = 2 * 1024 * 1024;

/**
 * What backs a user buffer: 4 KiB pages (each its own bio_vec), or 2 MiB pages inside which neighbours join.
 * @public
 */
export type PageBacking = 'base-pages' | 'huge-pages';

/** True when `next` starts where `vec` ends and both lie in one huge page. */
function joins(vec: BioVec, next: BioVec): boolean {
  return (
    addOffset(vec.phys, vec.bytes) === next.phys &&
    alignDown(vec.phys, HUGE_PAGE_BYTES) === alignDown(next.phys, HUGE_PAGE_BYTES)
  );
}

/**
 * The bio_vecs of a buffer given as pieces of at most one 4 KiB page each, in the buffer's order.
 * @public
 */
export function bioVecsOf(pieces: Iterable<BioVec>, backing: PageBacking): BioVec[] {
  const vecs: BioVec[] = [];
  for (const piece of pieces) {
    const last = vecs.at(-1);
    if (backing === 'huge-pages' && last !== undefined && joins(last, piece)) {
      vecs[vecs.length - 1] = { phys: last.phys, bytes: last.bytes + piece.bytes };
    } else {
      vecs.push(piece);
    }
  }
  return vecs;
}

/**
 * What the kernel looks at to tell whether two neighbouring bio_vecs meet without a gap: their addresses' low bits
 * at the junction, or-ed (`bvec_seg_gap`). Below 4096: only the bits inside a page matter to any caller.
 * @internal
 */
export function junctionBits(before: BioVec, after: BioVec): number {
  const end = addOffset(before.phys, before.bytes);
  return offsetWithin(end, PAGE_SIZE) | offsetWithin(after.phys, PAGE_SIZE);
}

/**
 * Cuts `vecs` after `bytes` bytes; a bio_vec across the cut is divided.
 * @internal
 */
export function cutBioVecs(
  vecs: readonly BioVec[],
  bytes: number,
): { readonly head: BioVec[]; readonly tail: BioVec[] } {
  const head: BioVec[] = [];
  let left = bytes;
  let index = 0;
  for (; index < vecs.length && left > 0; index += 1) {
    const vec = vecs[index] as BioVec;
    if (vec.bytes > left) {
      head.push({ phys: vec.phys, bytes: left });
      const rest = { phys: addOffset(vec.phys, left), bytes: vec.bytes - left };
      return { head, tail: [rest, ...vecs.slice(index + 1)] };
    }
    head.push(vec);
    left -= vec.bytes;
  }
  return { head, tail: vecs.slice(index) };
}

/**
 * Sum of the lengths, in bytes.
 * @internal
 */
export function totalBytes(vecs: readonly BioVec[]): number {
  let bytes = 0;
  for (const vec of vecs) bytes += vec.bytes;
  return bytes;
}
