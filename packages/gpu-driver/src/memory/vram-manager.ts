// VramManager: hands out VRAM, in as many blocks as it takes, below the end of what the CPU and peers see where that is wanted.
// Source followed: amdgpu_vram_mgr.c and xe_ttm_vram_mgr.c over drivers/gpu/buddy.c: largest blocks first, memory that need
// not be visible from the top, visible memory below the end of the BAR.
// Simplified: no placement ranges but the visible one; contiguous means one block of the next power of two, trimmed by nobody.

import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { BuddyBlocks } from './buddy-blocks.ts';
import type { VramBlock } from './vram-block.ts';

const PAGE_BYTES = 4096;

/**
 * What an allocation asks for.
 * @public
 */
export interface VramRequest {
  /** Bytes; a multiple of 4 KiB. */
  readonly bytes: number;
  /** Must lie where the BAR shows it. */
  readonly visible: boolean;
  /** In one block. */
  readonly contiguous?: boolean;
  /** No block may be larger; a power of two. Makes fragmented memory on purpose. */
  readonly mostBlockBytes?: number;
}

/**
 * The VRAM of one card.
 * @public
 */
export class VramManager {
  /** All of VRAM, in bytes. */
  readonly bytes: number;
  /** What the BAR shows of it: the first so many bytes. */
  readonly visibleBytes: number;
  readonly #blocks: BuddyBlocks;

  constructor(bytes: number, visibleBytes: number) {
    this.bytes = bytes;
    this.visibleBytes = Math.min(bytes, visibleBytes);
    this.#blocks = new BuddyBlocks(bytes);
  }

  /** Free bytes, seen or not. */
  get freeBytes(): number {
    return this.#blocks.freeBytes;
  }

  /** True when every byte of `blocks` lies where the BAR shows it. */
  isVisible(blocks: readonly VramBlock[]): boolean {
    return blocks.every(({ offset, bytes }) => offset + bytes <= this.visibleBytes);
  }

  /** Blocks for a request, in the order of its bytes; nothing is kept on failure. -EINVAL for a bad size, -ENOSPC. */
  alloc(request: VramRequest): Outcome<VramBlock[]> {
    const { bytes, visible, contiguous = false, mostBlockBytes = Number.POSITIVE_INFINITY } = request;
    if (bytes <= 0 || bytes % PAGE_BYTES !== 0) return failure(Errno.EINVAL);
    const end = visible ? this.visibleBytes : this.bytes;
    const blocks: VramBlock[] = [];
    let left = contiguous ? 2 ** Math.ceil(Math.log2(bytes)) : bytes;
    let most = contiguous ? left : Math.min(left, mostBlockBytes);
    while (left > 0) {
      const block = this.#take(Math.min(left, most), end, !visible);
      if (block === null || (contiguous && block.bytes < left)) {
        this.free(block === null ? blocks : [...blocks, block]);
        return failure(Errno.ENOSPC);
      }
      blocks.push(block);
      left -= block.bytes;
      // Nothing larger was free: looking for it again would only take time.
      most = Math.min(most, block.bytes);
    }
    return success(blocks);
  }

  /** Gives blocks back. */
  free(blocks: readonly VramBlock[]): void {
    for (const { offset, bytes } of blocks) this.#blocks.give(offset, bytes);
  }

  /** The largest block of at most `bytes`, smaller ones when there is none. */
  #take(bytes: number, end: number, fromTop: boolean): VramBlock | null {
    for (let order = this.#blocks.orderFor(bytes); order >= 0; order -= 1) {
      const offset = this.#blocks.take(order, end, fromTop);
      if (offset >= 0) return { offset, bytes: PAGE_BYTES * 2 ** order };
    }
    return null;
  }
}
