// VtdSecondStageFormat: VT-d second-stage entries as Linux writes them (generic_pt format `vtdss`).
// Source followed: VT-d specification 9.8 (second-stage paging entries); drivers/iommu/generic_pt/fmt/vtdss.h.
// There is no present bit: an entry of all zeros is empty. Accessed and dirty bits are left to the hardware.
// Simplified: no execute permission, memory types or transient mapping; none of them is used by Linux.

import { IOMMU_READ, IOMMU_WRITE } from '../../domain/iommu-prot.ts';
import {
  EntryKind,
  type EntryWords,
  entryAddress,
  type PageTableFeatures,
  type PageTableFormat,
  placeAddress,
} from '../page-table-format.ts';

const READ_WRITE = 3;
const LARGE_PAGE = 0x80;
const WRITTEN_BACK = 0x400;
const SNOOP = 0x800;

/**
 * Writer of VT-d second-stage tables.
 * @public
 */
export class VtdSecondStageFormat implements PageTableFormat {
  readonly name = 'vtdss';
  readonly contiguous = false;
  readonly presentBits: number = READ_WRITE;
  readonly features: PageTableFeatures;
  readonly #leafBits: number;
  readonly #tableBits: number;

  constructor(features: PageTableFeatures = {}) {
    this.features = features;
    this.#leafBits = features.forceCoherence === true ? SNOOP : 0;
    this.#tableBits = features.dmaIncoherent === true ? READ_WRITE | WRITTEN_BACK : READ_WRITE;
  }

  pgsizeBitmap(_vaBits: number): number {
    return 0x40201000;
  }

  accepts(prot: number): boolean {
    return this.features.forceWriteable !== true || (prot & IOMMU_WRITE) !== 0;
  }

  kindOf(low: number, high: number, level: number): EntryKind {
    if ((low | high) === 0) return EntryKind.empty;
    return level === 0 || (low & LARGE_PAGE) !== 0 ? EntryKind.leaf : EntryKind.table;
  }

  itemsLg2(): number {
    return 0;
  }

  leafFrame(low: number, high: number): number {
    return entryAddress(low, high);
  }

  encodeLeaf(frame: number, level: number, _order: number, prot: number, entry: EntryWords): void {
    const permission = prot & (IOMMU_READ | IOMMU_WRITE);
    placeAddress(frame, this.#leafBits | permission | (level > 0 ? LARGE_PAGE : 0), 0, entry);
  }

  encodeTable(frame: number, _level: number, entry: EntryWords): void {
    placeAddress(frame, this.#tableBits, 0, entry);
  }
}
