// IovaTree: the allocated ranges of one domain, the two remembered nodes from which a search starts, and the size below
// which 32-bit requests are still worth a search.
// Source followed: drivers/iommu/iova.c (__alloc_and_insert_iova_range, __cached_rbnode_*, remove_iova, reserve_iova).
// The search is first fit downwards from the remembered node; what lies above it is looked at in one second pass. Where the
// kernel steps from gap to gap, the range index goes to the first gap that fits, which is the same one.
// Simplified: no locks, and the kernel's memory for a range never runs out.

import type { IovaRange } from './iova-range.ts';
import { alignFrameDown, orderCovering } from './natural-alignment.ts';
import { IOVA_ANCHOR, RangeIndex } from './range-index.ts';

/**
 * Ordered ranges with the kernel's search; frames are granules, limits exclusive, -1 is no range.
 * @internal
 */
export class IovaTree {
  readonly startPfn: number;
  /** First frame at or above 4 GiB. */
  readonly dma32BitPfn: number;
  /** 32-bit requests of this size and more fail without a search. */
  max32AllocSize: number;
  readonly #index: RangeIndex;
  /** First frames of the remembered nodes. */
  #cached: number = IOVA_ANCHOR;
  #cached32: number = IOVA_ANCHOR;
  /** Positions at which they were found last. */
  #position = 0;
  #position32 = 0;
  /** First frames of ranges that no caller owns, and the span in which they lie. */
  readonly #reserved = new Set<number>();
  #reservedLowest: number = IOVA_ANCHOR;
  #reservedHighest = -1;

  constructor(startPfn: number, dma32BitPfn: number) {
    this.startPfn = startPfn;
    this.dma32BitPfn = dma32BitPfn;
    this.max32AllocSize = dma32BitPfn;
    this.#index = new RangeIndex(startPfn);
  }

  /** Ranges held, the anchor not counted. */
  get size(): number {
    return this.#index.size;
  }

  /** Ranges that came by reservation. */
  get reservedCount(): number {
    return this.#reserved.size;
  }

  /** First frame of the node from which 64-bit searches start; {@link IOVA_ANCHOR} for the end anchor. */
  get cached(): number {
    return this.#cached;
  }

  /** The same for 32-bit searches. */
  get cached32(): number {
    return this.#cached32;
  }

  /** Calls `visit` for every range in ascending order. */
  forEach(visit: (lo: number, hi: number) => void): void {
    this.#index.forEach(visit);
  }

  /** Allocates `size` frames below `limit`; answers the first, or -1. */
  allocate(size: number, limit: number, sizeAligned: boolean): number {
    const is32 = limit <= this.dma32BitPfn;
    if (is32 && size >= this.max32AllocSize) return -1;
    const pfn = size > limit ? -1 : this.#place(size, limit, sizeAligned, is32);
    if (pfn < 0) this.max32AllocSize = size;
    else if (pfn + size <= this.dma32BitPfn) {
      this.#cached32 = pfn;
      this.#position32 = this.#index.touched;
    } else {
      this.#cached = pfn;
      this.#position = this.#index.touched;
    }
    return pfn;
  }

  #place(size: number, limit: number, sizeAligned: boolean, is32: boolean): number {
    const index = this.#index;
    const { nodes } = index;
    const order = sizeAligned ? orderCovering(size) : 0;
    let from = is32
      ? index.positionOf(this.#cached32, this.#position32)
      : index.positionOf(this.#cached, this.#position);
    const isAbove = (nodes.last[from] as number) >= limit;
    if (isAbove && (nodes.under[from] as number) > limit) from = index.reaching(limit);
    const pfn = this.#placeBelow(from, size, limit, order, sizeAligned);
    if (pfn >= 0 || isAbove) return pfn;
    // Nothing fits below the remembered node, so what the second pass finds lies above it.
    return this.#placeBelow(index.reaching(limit), size, limit, order, sizeAligned);
  }

  /** Inserts at the first fit in a gap below `position` or any lower range; no gap above it reaches below the limit. */
  #placeBelow(position: number, size: number, limit: number, order: number, sizeAligned: boolean): number {
    const index = this.#index;
    const { nodes } = index;
    // The first gap is tried by itself: it mostly fits, and if the limit cuts it the index does not know what fits.
    let at = position;
    let pfn = alignFrameDown(Math.min(nodes.low[at] as number, limit) - size, order);
    if (pfn < (nodes.under[at] as number)) {
      at = nodes.nextBelow(at);
      if (at >= 0) at = sizeAligned ? index.firstAlignedFit(at, size) : index.firstLongGap(at, size);
      if (at < 0) return -1;
      pfn = alignFrameDown((nodes.low[at] as number) - size, order);
    }
    index.insertBelow(at, pfn, pfn + size - 1);
    return pfn;
  }

  /** Removes the whole range that contains a frame; false when the frame is free. */
  remove(pfn: number): boolean {
    const index = this.#index;
    const position = index.containing(pfn);
    if (position < 0) return false;
    const { nodes } = index;
    const lo = nodes.low[position] as number;
    const hi = nodes.last[position] as number;
    const above = nodes.nextAbove(position);
    const successor = nodes.low[above] as number;
    index.remove(position, above, successor);
    const { dma32BitPfn } = this;
    if (lo === this.#cached32 || (hi < dma32BitPfn && lo >= this.#cached32)) {
      this.#cached32 = successor;
      this.#position32 = index.touched;
    }
    if (lo < dma32BitPfn) this.max32AllocSize = dma32BitPfn;
    if (lo >= this.#cached) {
      this.#cached = successor;
      this.#position = index.touched;
    }
    if (lo <= this.#reservedHighest && lo >= this.#reservedLowest) this.#reserved.delete(lo);
    return true;
  }

  /** The range that contains a frame, or null. */
  find(pfn: number): IovaRange | null {
    const { nodes } = this.#index;
    const position = this.#index.containing(pfn);
    return position < 0 ? null : [nodes.low[position] as number, nodes.last[position] as number];
  }

  /** Takes `lo` to `hi` out of use; overlapped ranges grow down, what lies beyond them becomes a range of its own. */
  reserve(lo: number, hi: number): IovaRange {
    const index = this.#index;
    const { nodes } = index;
    let first = lo;
    let position = index.reaching(first);
    while (hi >= (nodes.low[position] as number)) {
      const last = nodes.last[position] as number;
      if (first < (nodes.low[position] as number)) this.#growDown(position, first);
      if (hi <= last) return [nodes.low[position] as number, last];
      first = last + 1;
      position = nodes.nextAbove(position);
    }
    this.insertReserved(first, hi);
    return [first, hi];
  }

  /** Adds a range that no caller owns; no remembered node moves. */
  insertReserved(lo: number, hi: number): void {
    this.insertOwned(lo, hi);
    this.#noteReserved(lo);
  }

  /** Adds a range that a caller or a cache owns; no remembered node moves. */
  insertOwned(lo: number, hi: number): void {
    this.#index.insertBelow(this.#index.reaching(lo), lo, hi);
  }

  /** Sets the remembered nodes, by first frame, and the greatest promising size. */
  restoreSearch(cached: number, cached32: number, max32AllocSize: number): void {
    this.#cached = cached;
    this.#cached32 = cached32;
    this.max32AllocSize = max32AllocSize;
  }

  #growDown(position: number, first: number): void {
    const old = this.#index.nodes.low[position] as number;
    this.#index.growDown(position, first);
    if (this.#cached === old) this.#cached = first;
    if (this.#cached32 === old) this.#cached32 = first;
    if (this.#reserved.delete(old)) this.#noteReserved(first);
  }

  #noteReserved(lo: number): void {
    this.#reserved.add(lo);
    if (lo < this.#reservedLowest) this.#reservedLowest = lo;
    if (lo > this.#reservedHighest) this.#reservedHighest = lo;
  }
}
