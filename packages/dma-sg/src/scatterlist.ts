// Scatterlist: a chain of arrays of struct scatterlist, each entry naming a page, an offset and a length, and,
// once mapped, a DMA segment.
// Source followed: include/linux/scatterlist.h (struct scatterlist, sg_next, sg_set_page, sg_mark_end, sg_phys).
// Entries are numbered through the chain and kept in one typed array per field; the arrays of the kernel are
// remembered by their sizes, so that layout and memory footprint stay exact.
// Simplified: link slots hold nothing else and are not numbered; the chain can be entered at its head only.

import { PAGE_SIZE, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { DmaApiViolation, type PageFrames } from '@sgfree/mm';

/**
 * `dma_flags` bit: the entry's DMA address is a peer's bus address, no IOVA.
 * @public
 */
export const SG_DMA_BUS_ADDRESS = 1;

/**
 * `dma_flags` bit on the first entry: some entry may have been bounced; unmap goes entry by entry.
 * @public
 */
export const SG_DMA_SWIOTLB = 2;

/**
 * `pageFrame` of an entry without a page (`sg_page()` is NULL), as lists made from physical vectors have.
 * @public
 */
export const NO_PAGE = -1;

/**
 * A scatterlist: columns indexed by entry number, head first.
 * @public
 */
export class Scatterlist {
  /** Counts `struct page` looked at; null where nobody counts. */
  readonly memoryMap: PageFrames | null;
  /** Page frame of the entry's (first) page; {@link NO_PAGE} without one. */
  pageFrame: Float64Array = new Float64Array(0);
  /** 1 where the END mark is set. */
  endMark: Uint8Array = new Uint8Array(0);
  /** Bytes from the page's start to the data; may exceed a page. Wraps at 2^32 as in C. */
  offset: Uint32Array = new Uint32Array(0);
  /** Bytes of the entry. */
  length: Uint32Array = new Uint32Array(0);
  /** DMA address once mapped; -1 (`DMA_MAPPING_ERROR`) past the last mapped segment, 0 before the first map. */
  dmaAddress: Float64Array = new Float64Array(0);
  /** Bytes of the DMA segment. */
  dmaLength: Uint32Array = new Uint32Array(0);
  /** {@link SG_DMA_BUS_ADDRESS} and {@link SG_DMA_SWIOTLB}. */
  dmaFlags: Uint8Array = new Uint8Array(0);
  #slots = 0;

  constructor(memoryMap: PageFrames | null = null) {
    this.memoryMap = memoryMap;
  }

  /** Entries that exist, used or not (link slots not counted). */
  get entryCount(): number {
    return this.#slots;
  }

  /** Forgets all entries; the memory of the columns is kept for the next use. */
  clear(): void {
    this.#slots = 0;
  }

  /**
   * Adds `entries` zeroed entries behind the existing ones; the first `written` of them already have their page and
   * length, put into the reserved columns before.
   */
  extend(entries: number, written = 0): void {
    const from = this.#slots;
    const to = from + entries;
    this.reserve(to, from === 0 ? to : 2 * to);
    this.#slots = to;
    this.endMark.fill(0, from, to);
    this.offset.fill(0, from, to);
    this.dmaAddress.fill(0, from, to);
    this.dmaLength.fill(0, from, to);
    this.dmaFlags.fill(0, from, to);
    if (written < entries) this.blank(from + written);
  }

  /** Takes page, offset and length from all entries from `from` on. */
  blank(from: number): void {
    const to = this.#slots;
    this.pageFrame.fill(NO_PAGE, from, to);
    this.offset.fill(0, from, to);
    this.length.fill(0, from, to);
  }

  /** Gives the columns room for `entries` entries without adding any; a guess of what comes next goes up to `most`. */
  reserve(entries: number, most: number): void {
    const held = this.offset.length;
    if (entries <= held) return;
    const guess = Math.max(held * 2, held === 0 ? 8 : 128);
    this.#grow(Math.max(entries, Math.min(guess, most)));
  }

  /** Withdraws entries from the end: their slot became a link. */
  dropLast(entries: number): void {
    this.#slots -= entries;
  }

  #grow(capacity: number): void {
    this.pageFrame = carriedOver(new Float64Array(capacity), this.pageFrame);
    this.endMark = carriedOver(new Uint8Array(capacity), this.endMark);
    this.offset = carriedOver(new Uint32Array(capacity), this.offset);
    this.length = carriedOver(new Uint32Array(capacity), this.length);
    this.dmaAddress = carriedOver(new Float64Array(capacity), this.dmaAddress);
    this.dmaLength = carriedOver(new Uint32Array(capacity), this.dmaLength);
    this.dmaFlags = carriedOver(new Uint8Array(capacity), this.dmaFlags);
  }
}

function carriedOver<T extends Float64Array | Uint32Array | Uint8Array>(fresh: T, old: T): T {
  fresh.set(old);
  return fresh;
}

/**
 * Starts a list over as one array of `nents` zeroed entries, END on the last.
 * @public
 * @kernel sg_init_table
 */
export function sgInitTable(sgl: Scatterlist, nents: number): void {
  sgl.clear();
  sgl.extend(nents);
  sgMarkEnd(sgl, nents - 1);
}

/**
 * Points entry `sg` at `len` bytes from `offset` of the page with frame number `page`. Marks and DMA fields stay.
 * @public
 * @kernel sg_set_page
 */
export function sgSetPage(sgl: Scatterlist, sg: number, page: number, len: number, offset: number): void {
  sgl.pageFrame[sg] = page;
  sgl.offset[sg] = offset;
  sgl.length[sg] = len;
  if (sgl.memoryMap !== null) sgl.memoryMap.touched += 1;
}

/**
 * The entry after `sg`, or -1 (NULL) when `sg` carries END.
 * @public
 * @kernel sg_next
 */
export function sgNext(sgl: Scatterlist, sg: number): number {
  return sgl.endMark[sg] === 1 ? -1 : sg + 1;
}

/**
 * True when entry `sg` carries END.
 * @public
 * @kernel sg_is_last
 */
export function sgIsLast(sgl: Scatterlist, sg: number): boolean {
  return sgl.endMark[sg] === 1;
}

/**
 * Sets END on entry `sg`.
 * @public
 * @kernel sg_mark_end
 */
export function sgMarkEnd(sgl: Scatterlist, sg: number): void {
  sgl.endMark[sg] = 1;
}

/**
 * Clears END of entry `sg`.
 * @public
 * @kernel sg_unmark_end
 */
export function sgUnmarkEnd(sgl: Scatterlist, sg: number): void {
  sgl.endMark[sg] = 0;
}

/**
 * Physical address of entry `sg`: its page plus its offset. Looks at a `struct page`.
 * @public
 * @kernel sg_phys
 */
export function sgPhys(sgl: Scatterlist, sg: number): PhysAddr {
  if (sgl.memoryMap !== null) sgl.memoryMap.touched += 1;
  return physAddr((sgl.pageFrame[sg] as number) * PAGE_SIZE + (sgl.offset[sg] as number));
}

/**
 * Entries from the head to the END mark.
 * @public
 * @kernel sg_nents
 */
export function sgNents(sgl: Scatterlist): number {
  const { entryCount, endMark } = sgl;
  for (let sg = 0; sg < entryCount; sg += 1) if (endMark[sg] === 1) return sg + 1;
  if (entryCount === 0) return 0;
  throw new DmaApiViolation('sg-no-end', 'the list runs past its last entry without an END mark');
}

/**
 * The last of `nents` entries; a list without END there is a BUG.
 * @public
 * @kernel sg_last
 */
export function sgLast(sgl: Scatterlist, nents: number): number {
  if (sgl.endMark[nents - 1] !== 1) {
    throw new DmaApiViolation('sg-last-without-end', `entry ${nents - 1} carries no END mark`);
  }
  return nents - 1;
}
