// NvioRanges: whether the pieces of mappings, in order, are exactly the memory of a request. Where only whole granules
// are known, the first piece may begin before the memory does and the last may end behind it, within their pages.
// Source followed: iommu_dma_iova_link maps whole granules around what is linked; a request is split at multiples of 512.
// Simplified: granules are pages of 4 KiB.

import { alignDown, hex, PAGE_SIZE, type PhysAddr, rawOffset } from '@sgfree/hw-model';
import type { TracedMapping } from '@sgfree/trace';

/** A range of physical memory: first byte and first byte behind. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const pageOf = (address: number): number => alignDown(address, PAGE_SIZE);

/** Memory in order, joined where one piece continues the other. */
export function joinedRanges(
  pieces: readonly { readonly phys: PhysAddr; readonly bytes: number }[],
): ByteRange[] {
  const ranges: { start: number; end: number }[] = [];
  for (const { phys, bytes } of pieces) {
    const start = rawOffset(phys, 0);
    const last = ranges[ranges.length - 1];
    if (last?.end === start) last.end = start + bytes;
    else ranges.push({ start, end: start + bytes });
  }
  return ranges;
}

/** Where memory and mappings part. */
export interface RangeDifference {
  readonly expected: string;
  readonly got: string;
}

/** Walks through the memory of a request, piece by piece of its mappings. */
class RangeCursor {
  readonly #ranges: readonly ByteRange[];
  #index = 0;
  #address: number;
  /** Page in which the last mapping ended at an unknown place, and its range; -1 when it ended exactly. */
  #splitPage = -1;
  #splitIndex = 0;

  constructor(ranges: readonly ByteRange[]) {
    this.#ranges = ranges;
    this.#address = ranges[0]?.start ?? -1;
  }

  get done(): boolean {
    return this.#index >= this.#ranges.length;
  }

  get #end(): number {
    return this.#ranges[this.#index]?.end ?? -1;
  }

  /** Takes a piece that is known to the byte; false when the memory is another one. */
  takeExact(phys: number, bytes: number): boolean {
    if (phys !== this.#address && pageOf(phys) === this.#splitPage) this.#goBack(phys);
    this.#splitPage = -1;
    if (this.done || phys !== this.#address || phys + bytes > this.#end) return false;
    this.#moveTo(phys + bytes);
    return true;
  }

  /** Takes whole granules: only the first may begin early, only the last may end late. */
  takeGranules(phys: number, bytes: number, isFirst: boolean, isLast: boolean): boolean {
    if (isFirst && phys !== pageOf(this.#address) && phys === this.#splitPage) this.#goBack(phys);
    const begins = isFirst ? pageOf(this.#address) : this.#address;
    const end = phys + bytes;
    if (this.done || begins !== phys || this.#end <= end - (isLast ? PAGE_SIZE : 1)) return false;
    this.#splitPage = isLast ? end - PAGE_SIZE : -1;
    this.#splitIndex = this.#index;
    this.#moveTo(Math.min(end, this.#end));
    return true;
  }

  /** The last mapping ended inside its last page, because the next one begins there. */
  #goBack(address: number): void {
    this.#index = this.#splitIndex;
    this.#address = Math.max(address, this.#ranges[this.#index]?.start ?? 0);
  }

  #moveTo(address: number): void {
    this.#address = address;
    if (address < this.#end) return;
    this.#index += 1;
    this.#address = this.#ranges[this.#index]?.start ?? -1;
  }

  toString(): string {
    return this.done ? 'nothing more' : `${hex(this.#address)}-${hex(this.#end)}`;
  }
}

/** Null when the pieces of the mappings are the memory, else where they first are not. */
export function firstRangeNotMatched(
  ranges: readonly ByteRange[],
  mappings: readonly TracedMapping[],
): RangeDifference | null {
  const cursor = new RangeCursor(ranges);
  for (const mapping of mappings) {
    const { piecePhys, pieceBytes } = mapping;
    for (const [at, phys] of piecePhys.entries()) {
      const bytes = pieceBytes[at] ?? 0;
      const expected = String(cursor);
      const isTaken =
        mapping.bytesFrom === 'recorded'
          ? cursor.takeExact(phys, bytes)
          : cursor.takeGranules(phys, bytes, at === 0, at === piecePhys.length - 1);
      if (!isTaken) return { expected, got: `${hex(phys)}-${hex(phys + bytes)}` };
    }
  }
  return cursor.done ? null : { expected: String(cursor), got: 'nothing more' };
}
