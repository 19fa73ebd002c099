// IotlbGather: what unmap calls leave behind to be flushed, a range of addresses and the table pages taken out.
// Source followed: include/linux/iommu.h, struct iommu_iotlb_gather with its add_range and is_disjoint helpers.
// Addresses are 64-bit: a page frame and an offset in it. Range ends are inclusive and wrap as u64 arithmetic does.
// Simplified: no per-page stride (pgsize stays 0) and no level bitmaps, which only other formats fill.

import { FRAME_LIMIT } from './frame-bits.ts';

const LAST_FRAME = FRAME_LIMIT - 1;
const PAGE_SIZE = 4096;
const LAST_OFFSET = PAGE_SIZE - 1;

/**
 * The pending invalidation of one domain.
 * @public
 */
export class IotlbGather {
  /** First byte: page frame and offset. All ones when nothing is gathered. */
  startFrame: number = LAST_FRAME;
  startOffset: number = LAST_OFFSET;
  /** Last byte, inclusive. Zero when nothing is gathered. */
  endFrame = 0;
  endOffset = 0;
  /** Unmap granule in bytes; 0 = not tracked. */
  readonly pgsize = 0;
  /** Page frames of tables that may be freed once the flush is done. */
  readonly freelist: number[] = [];
  /** The whole domain is going to be flushed later, so that ranges need not be kept. */
  queued = false;
  /** Last byte of the range that {@link IotlbGather.addRange} is about to take in. */
  #newEndFrame = 0;
  #newEndOffset = 0;

  /** True when a flush is called for: the range is not empty. */
  get pending(): boolean {
    return (
      this.startFrame < this.endFrame ||
      (this.startFrame === this.endFrame && this.startOffset < this.endOffset)
    );
  }

  /**
   * Widens the range by `bytes` bytes at (frame, offset). No bytes at all move the end to the byte before, which at
   * address 0 wraps to the end of the space: the flush then covers everything, as in Linux (flush-all-on-zero-unmap).
   */
  addRange(frame: number, offset: number, bytes: number): void {
    this.#setNewEnd(frame, offset, bytes);
    if (frame < this.startFrame || (frame === this.startFrame && offset < this.startOffset)) {
      this.startFrame = frame;
      this.startOffset = offset;
    }
    const later =
      this.#newEndFrame > this.endFrame ||
      (this.#newEndFrame === this.endFrame && this.#newEndOffset > this.endOffset);
    if (later) {
      this.endFrame = this.#newEndFrame;
      this.endOffset = this.#newEndOffset;
    }
  }

  /** True when something is gathered and the `bytes` bytes at (frame, offset) neither overlap nor touch it. */
  isDisjoint(frame: number, offset: number, bytes: number): boolean {
    if (this.endFrame === 0 && this.endOffset === 0) return false;
    this.#setNewEnd(frame, offset, bytes);
    return (
      endsBefore(this.#newEndFrame, this.#newEndOffset, this.startFrame, this.startOffset) ||
      endsBefore(this.endFrame, this.endOffset, frame, offset)
    );
  }

  /** Empties the gather; the caller has dealt with the tables. `queued` stays. */
  reset(): void {
    this.startFrame = LAST_FRAME;
    this.startOffset = LAST_OFFSET;
    this.endFrame = 0;
    this.endOffset = 0;
    if (this.freelist.length > 0) this.freelist.length = 0;
  }

  #setNewEnd(frame: number, offset: number, bytes: number): void {
    const pages = Math.floor(bytes / PAGE_SIZE);
    const last = offset + (bytes - pages * PAGE_SIZE) - 1;
    const carry = Math.floor(last / PAGE_SIZE);
    const endFrame = frame + pages + carry;
    this.#newEndOffset = last - carry * PAGE_SIZE;
    this.#newEndFrame =
      endFrame < 0 ? LAST_FRAME : endFrame >= FRAME_LIMIT ? endFrame - FRAME_LIMIT : endFrame;
  }
}

/** `end + 1 < start` in u64 arithmetic: the byte after all ones is 0. */
function endsBefore(endFrame: number, endOffset: number, startFrame: number, startOffset: number): boolean {
  if (endOffset < LAST_OFFSET) {
    return endFrame < startFrame || (endFrame === startFrame && endOffset + 1 < startOffset);
  }
  const next = endFrame === LAST_FRAME ? 0 : endFrame + 1;
  return next < startFrame || (next === startFrame && startOffset > 0);
}

/**
 * Prepares a gather for use.
 * @public
 * @kernel iommu_iotlb_gather_init
 */
export function iommuIotlbGatherInit(gather: IotlbGather): void {
  gather.reset();
  gather.queued = false;
}
