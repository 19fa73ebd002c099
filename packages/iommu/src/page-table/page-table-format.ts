// PageTableFormat: what one kind of I/O page table says about its 8-byte entries, as the software that writes it sees it.
// Source followed: drivers/iommu/generic_pt/pt_defs.h and fmt/*.h; hardware reads the same bytes in its own terms.
// An entry is two 32-bit words. Level 0 tables hold 4 KiB leaves; each level up spans 512 times as much.
// Simplified: 4 KiB granule and 512 entries a table only; no memory-encryption bits.

/**
 * What an entry is.
 * @public
 */
export const EntryKind = { empty: 0, table: 1, leaf: 2 } as const;

/**
 * One value of the table {@link (EntryKind:variable)}.
 * @public
 */
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/**
 * What a table is built with (the `features` of generic_pt). Absent = off.
 * @public
 */
export interface PageTableFeatures {
  /** The walker does not snoop CPU caches: table entries carry a software mark once they are written back. */
  readonly dmaIncoherent?: boolean;
  /** Levels are added on top when an address needs them. */
  readonly dynamicTop?: boolean;
  /** The space has a lower and an upper half; the top bit of the width is copied upwards. */
  readonly signExtend?: boolean;
  /** Ranges are gathered over gaps. */
  readonly flushRange?: boolean;
  /** A range that does not touch the gathered one is flushed on its own. */
  readonly flushRangeNoGaps?: boolean;
  /** Every leaf forces snooped accesses. */
  readonly forceCoherence?: boolean;
  /** A mapping without write permission is refused. */
  readonly forceWriteable?: boolean;
}

/**
 * An 8-byte entry as two unsigned words.
 * @public
 */
export class EntryWords {
  low = 0;
  high = 0;
}

/**
 * One page-table format.
 * @public
 */
export interface PageTableFormat {
  readonly name: string;
  readonly features: PageTableFeatures;
  /** False when a leaf is always a single entry. */
  readonly contiguous: boolean;
  /** Bits of the low word of which every entry in use has at least one. */
  readonly presentBits: number;
  /** Page sizes that tables for `vaBits` of address offer, one bit each. */
  pgsizeBitmap(vaBits: number): number;
  /** True when a leaf of this permission (IOMMU_READ, IOMMU_WRITE and so on) can be written. */
  accepts(prot: number): boolean;
  /** {@link (EntryKind:variable)} of an entry of a table of `level`. */
  kindOf(low: number, high: number, level: number): EntryKind;
  /** Base-2 logarithm of the equal entries that make up this leaf. */
  itemsLg2(low: number, high: number, level: number): number;
  /** First page frame of a leaf. */
  leafFrame(low: number, high: number, level: number): number;
  /** Writes the leaf for 2^order page frames at `frame` into `entry`. */
  encodeLeaf(frame: number, level: number, order: number, prot: number, entry: EntryWords): void;
  /** Writes the entry of a table of `level` that leads to the table in page frame `frame`. */
  encodeTable(frame: number, level: number, entry: EntryWords): void;
}

/**
 * Page frame in bits 51:12 of an entry.
 * @internal
 */
export const entryAddress = (low: number, high: number): number => (high & 0xfffff) * 0x100000 + (low >>> 12);

/**
 * Stores page frame `frame` as bits 51:12 next to attribute bits.
 * @internal
 */
export function placeAddress(frame: number, lowBits: number, highBits: number, entry: EntryWords): void {
  const above = Math.floor(frame / 0x100000);
  entry.low = (((frame - above * 0x100000) << 12) | lowBits) >>> 0;
  entry.high = ((above & 0xfffff) | highBits) >>> 0;
}
