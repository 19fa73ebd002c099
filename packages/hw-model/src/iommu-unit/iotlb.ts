// Iotlb: the translation cache of an IOMMU unit. It holds what a walk found until somebody invalidates it.
// Source followed: VT-d specification 6.2.4 (IOTLB) and 6.5 (invalidation); tags are domain, page and page size.
// A stale entry is really stale: clearing the page table changes nothing here. Not-present results never enter.
// Simplified: one set-associative array for all page sizes with true LRU inside a set; leaves of other sizes are cut down to 4K/2M/1G.

import { InternalError } from '../internal-error.ts';

/**
 * Shape of the cache: both powers of two.
 * @public
 */
export interface IotlbShape {
  readonly sets: number;
  readonly ways: number;
}

/** Pages of 4 KiB per entry of each size class, smallest first. */
const CLASS_FRAMES = [1, 512, 262144] as const;
const CLASSES = CLASS_FRAMES.length;

/**
 * Set-associative IOTLB over typed arrays.
 * @public
 */
export class Iotlb {
  readonly shape: IotlbShape;
  readonly #setMask: number;
  readonly #ways: number;
  /** Domain of an entry, -1 = invalid. */
  readonly #domain: Int32Array;
  /** Page number in units of the entry's own size, times the number of classes, plus the class. */
  readonly #tag: Float64Array;
  readonly #frame: Float64Array;
  readonly #permissions: Uint8Array;
  readonly #lastUse: Float64Array;
  readonly #liveOfClass = new Float64Array(CLASSES);
  #uses = 0;

  constructor(shape: IotlbShape) {
    const { sets, ways } = shape;
    if (!isPowerOfTwo(sets) || ways < 1) throw new InternalError(`IOTLB of ${sets} sets x ${ways} ways`);
    this.shape = shape;
    this.#setMask = sets - 1;
    this.#ways = ways;
    const entries = sets * ways;
    this.#domain = new Int32Array(entries).fill(-1);
    this.#tag = new Float64Array(entries);
    this.#frame = new Float64Array(entries);
    this.#permissions = new Uint8Array(entries);
    this.#lastUse = new Float64Array(entries);
  }

  /** Entries held now. */
  get live(): number {
    let live = 0;
    for (const count of this.#liveOfClass) live += count;
    return live;
  }

  /**
   * Physical page frame for page `iovaFrame` of `domain`, or -1 when no entry grants all of `needed`.
   * A plain number because it runs once per bus request.
   */
  translate(domain: number, iovaFrame: number, needed: number): number {
    if (this.#liveOfClass[0] !== 0) {
      const at = this.#find(domain, iovaFrame, 0);
      if (at >= 0) return this.#granted(at, needed) ? (this.#frame[at] as number) : -1;
    }
    for (let size = 1; size < CLASSES; size += 1) {
      if (this.#liveOfClass[size] === 0) continue;
      const frames = CLASS_FRAMES[size] as number;
      const page = Math.floor(iovaFrame / frames);
      const at = this.#find(domain, page, size);
      if (at < 0) continue;
      return this.#granted(at, needed) ? (this.#frame[at] as number) + (iovaFrame - page * frames) : -1;
    }
    return -1;
  }

  /** Takes in a leaf of `leafFrames` pages; of a size in between, only the aligned part around `iovaFrame` is kept. */
  insert(
    domain: number,
    iovaFrame: number,
    leafFrame: number,
    leafFrames: number,
    permissions: number,
  ): void {
    let size = CLASSES - 1;
    while ((CLASS_FRAMES[size] as number) > leafFrames) size -= 1;
    const frames = CLASS_FRAMES[size] as number;
    const page = Math.floor(iovaFrame / frames);
    const leafStart = Math.floor(iovaFrame / leafFrames) * leafFrames;
    const at = this.#slotFor(domain, page, size);
    this.#drop(at);
    this.#domain[at] = domain;
    this.#tag[at] = page * CLASSES + size;
    this.#frame[at] = leafFrame + (page * frames - leafStart);
    this.#permissions[at] = permissions;
    this.#lastUse[at] = ++this.#uses;
    (this.#liveOfClass[size] as number) += 1;
  }

  /** Drops every entry of `domain` that overlaps the pages `firstFrame` to `firstFrame + frames - 1`, whatever its size. */
  invalidatePages(domain: number, firstFrame: number, frames: number): void {
    for (let size = 0; size < CLASSES; size += 1) {
      if (this.#liveOfClass[size] === 0) continue;
      const unit = CLASS_FRAMES[size] as number;
      const first = Math.floor(firstFrame / unit);
      const last = Math.floor((firstFrame + frames - 1) / unit);
      if (last - first > this.#setMask) this.#dropRange(domain, size, first, last);
      else for (let page = first; page <= last; page += 1) this.#drop(this.#findQuietly(domain, page, size));
    }
  }

  /** Drops every entry of `domain`. */
  invalidateDomain(domain: number): void {
    for (let at = 0; at < this.#domain.length; at += 1) if (this.#domain[at] === domain) this.#drop(at);
  }

  /** Drops everything. */
  invalidateAll(): void {
    this.#domain.fill(-1);
    this.#liveOfClass.fill(0);
  }

  #granted(at: number, needed: number): boolean {
    return ((this.#permissions[at] as number) & needed) === needed;
  }

  #find(domain: number, page: number, size: number): number {
    const at = this.#findQuietly(domain, page, size);
    if (at >= 0) this.#lastUse[at] = ++this.#uses;
    return at;
  }

  #findQuietly(domain: number, page: number, size: number): number {
    const tag = page * CLASSES + size;
    const start = this.#setStart(domain, page);
    for (let at = start; at < start + this.#ways; at += 1) {
      if (this.#tag[at] === tag && this.#domain[at] === domain) return at;
    }
    return -1;
  }

  // `&` on a double wraps modulo 2^32 first (ToInt32): the low bits that choose the set stay exact.
  #setStart(domain: number, page: number): number {
    return ((page + domain * 7) & this.#setMask) * this.#ways;
  }

  /** The slot an entry goes to: the one it has already, a free one, or the least recently used of its set. */
  #slotFor(domain: number, page: number, size: number): number {
    const held = this.#findQuietly(domain, page, size);
    if (held >= 0) return held;
    const start = this.#setStart(domain, page);
    let oldest = start;
    for (let at = start; at < start + this.#ways; at += 1) {
      if (this.#domain[at] === -1) return at;
      if ((this.#lastUse[at] as number) < (this.#lastUse[oldest] as number)) oldest = at;
    }
    return oldest;
  }

  #dropRange(domain: number, size: number, first: number, last: number): void {
    for (let at = 0; at < this.#domain.length; at += 1) {
      if (this.#domain[at] !== domain) continue;
      const page = Math.floor((this.#tag[at] as number) / CLASSES);
      if (page >= first && page <= last && (this.#tag[at] as number) - page * CLASSES === size)
        this.#drop(at);
    }
  }

  #drop(at: number): void {
    if (at < 0 || this.#domain[at] === -1) return;
    const tag = this.#tag[at] as number;
    (this.#liveOfClass[tag - Math.floor(tag / CLASSES) * CLASSES] as number) -= 1;
    this.#domain[at] = -1;
  }
}

const isPowerOfTwo = (value: number): boolean => value >= 1 && Number.isInteger(Math.log2(value));
