// X8664Format: x86-64 page-table entries as Linux writes them for VT-d first stage and AMD v2 (generic_pt `x86_64`).
// Source followed: VT-d specification 9.7 (first-stage paging entries); drivers/iommu/generic_pt/fmt/x86_64.h.
// Whatever is present can be read: a mapping for writing only can be read too. Accessed and dirty bits are preset.
// Simplified: no execute-disable, global or memory-type bits and no encryption bit; Linux sets none of them here.

import { IOMMU_WRITE } from '../../domain/iommu-prot.ts';
import {
  EntryKind,
  type EntryWords,
  entryAddress,
  type PageTableFeatures,
  type PageTableFormat,
  placeAddress,
} from '../page-table-format.ts';

const PRESENT = 0x1;
const LARGE_PAGE = 0x80;
/** Present, user, accessed. */
const READ_ONLY_LEAF = 0x25;
/** The same and writable, dirty. */
const WRITABLE_LEAF = 0x67;
/** Present, writable, user, accessed. */
const TABLE = 0x27;
const WRITTEN_BACK = 0x200;

/**
 * Writer of x86-64 tables.
 * @public
 */
export class X8664Format implements PageTableFormat {
  readonly name = 'x86_64';
  readonly contiguous = false;
  readonly presentBits: number = PRESENT;
  readonly features: PageTableFeatures;
  readonly #tableBits: number;

  constructor(features: PageTableFeatures = {}) {
    this.features = features;
    this.#tableBits = features.dmaIncoherent === true ? TABLE | WRITTEN_BACK : TABLE;
  }

  pgsizeBitmap(_vaBits: number): number {
    return 0x40201000;
  }

  accepts(_prot: number): boolean {
    return true;
  }

  kindOf(low: number, _high: number, level: number): EntryKind {
    if ((low & PRESENT) === 0) return EntryKind.empty;
    return level === 0 || (low & LARGE_PAGE) !== 0 ? EntryKind.leaf : EntryKind.table;
  }

  itemsLg2(): number {
    return 0;
  }

  leafFrame(low: number, high: number): number {
    return entryAddress(low, high);
  }

  encodeLeaf(frame: number, level: number, _order: number, prot: number, entry: EntryWords): void {
    const bits = (prot & IOMMU_WRITE) === 0 ? READ_ONLY_LEAF : WRITABLE_LEAF;
    placeAddress(frame, bits | (level > 0 ? LARGE_PAGE : 0), 0, entry);
  }

  encodeTable(frame: number, _level: number, entry: EntryWords): void {
    placeAddress(frame, this.#tableBits, 0, entry);
  }
}
