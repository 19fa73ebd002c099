// Invalidation address: a range of pages as AMD's commands name it, and the blocks that cover a range exactly.
// Source followed: drivers/iommu/amd/iommu.c build_inv_address() and amd_iommu_domain_flush_pages(); AMD I/O
// Virtualization Technology specification 2.4.3 (size coding).
// One command names the smallest aligned block around a range: ones in the address below a zero tell its size. Blocks of
// 2^53 bytes and more cannot be told apart from the whole space, because bits 63:52 repeat bit 51.
// Simplified: ranges are given in page frames, both ends inclusive, which keeps every number exact up to 2^64 bytes.

import { AmdPagesFlag } from '@sgfree/hw-model';
import { flushBlockOrder } from '../vtd/flush-block.ts';

/** Largest order of a block that a command can name: 2^52 bytes. */
const LARGEST_ORDER = 40;
const ALL_PAGES_LOW = 0xfffff000;
const ALL_PAGES_HIGH = 0x7fffffff;
/** Page number bits in the low word of an address. */
const LOW_FRAMES = 0x100000;

/**
 * Writes the address words for the frames `first` to `last` to `words[at]` and `words[at + 1]`, the size bit included.
 * @internal
 * @kernel build_inv_address
 */
export function buildInvAddress(words: Uint32Array, at: number, first: number, last: number): void {
  const order = flushBlockOrder(first, last);
  if (order > LARGEST_ORDER) {
    words[at] = ALL_PAGES_LOW + AmdPagesFlag.size;
    words[at + 1] = ALL_PAGES_HIGH;
    return;
  }
  // The highest bit that differs is clear in `first`; everything below it becomes ones.
  const half = order === 0 ? 1 : 2 ** (order - 1);
  const frame = Math.floor(first / half) * half + half - 1;
  const high = Math.floor(frame / LOW_FRAMES);
  words[at] = (frame - high * LOW_FRAMES) * 4096 + (order === 0 ? 0 : AmdPagesFlag.size);
  words[at + 1] = high;
}

/**
 * Order of the next block when the frames `first` to `last` are covered exactly by naturally aligned blocks, ascending:
 * as large as the alignment of `first` and the length allow.
 * @internal
 */
export function exactBlockOrder(first: number, last: number): number {
  const pages = last - first + 1;
  let order = Math.ceil(Math.log2(pages));
  while (2 ** order > pages || Math.floor(first / 2 ** order) * 2 ** order !== first) order -= 1;
  return order;
}
