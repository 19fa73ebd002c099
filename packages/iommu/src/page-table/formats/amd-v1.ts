// AmdV1Format: AMD host page-table entries as Linux writes them (generic_pt format `amdv1`).
// Source followed: AMD I/O Virtualization Technology specification 2.2.3; drivers/iommu/generic_pt/fmt/amdv1.h.
// Any power of two is a page: 2^k equal entries of one table, the size written into their address as trailing ones.
// Simplified: no encryption bit; accessed and dirty bits are left to the hardware.

import { IOMMU_READ, IOMMU_WRITE } from '../../domain/iommu-prot.ts';
import {
  EntryKind,
  type EntryWords,
  entryAddress,
  type PageTableFeatures,
  type PageTableFormat,
  placeAddress,
} from '../page-table-format.ts';

const PRESENT = 0x1;
const NEXT_LEVEL_SHIFT = 9;
const ENCODED_SIZE = 0xe00;
const ENCODED_LEAF = 7;
/** Bits 60 (force coherent), 61 (read) and 62 (write), in the high word. */
const FORCE_COHERENT = 0x10000000;
const READ = 0x20000000;
const WRITE = 0x40000000;
/** 512 GiB, the one power of two that Linux leaves out because of a hardware fault. */
const LEFT_OUT_LG2 = 39;
const GREATEST_LG2 = 51;

/** Low address bits set in a row. */
function trailingOnes(frame: number): number {
  let ones = 0;
  for (let rest = frame; rest - Math.floor(rest / 2) * 2 === 1; rest = Math.floor(rest / 2)) ones += 1;
  return ones;
}

/**
 * Writer of AMD v1 tables.
 * @public
 */
export class AmdV1Format implements PageTableFormat {
  readonly name = 'amdv1';
  readonly contiguous = true;
  readonly presentBits: number = PRESENT;
  readonly features: PageTableFeatures;
  readonly #leafHigh: number;

  constructor(features: PageTableFeatures = { dynamicTop: true, flushRange: true, forceCoherence: true }) {
    this.features = features;
    this.#leafHigh = features.forceCoherence === true ? FORCE_COHERENT : 0;
  }

  /** Powers of two from 4 KiB that are smaller than half the space. */
  pgsizeBitmap(vaBits: number): number {
    let bitmap = 0;
    for (let lg2 = 12; lg2 <= Math.min(GREATEST_LG2, vaBits - 2); lg2 += 1) {
      if (lg2 !== LEFT_OUT_LG2) bitmap += 2 ** lg2;
    }
    return bitmap;
  }

  accepts(_prot: number): boolean {
    return true;
  }

  kindOf(low: number, _high: number, level: number): EntryKind {
    if ((low & PRESENT) === 0) return EntryKind.empty;
    const next = (low >>> NEXT_LEVEL_SHIFT) & 7;
    return level === 0 || next === 0 || next === ENCODED_LEAF ? EntryKind.leaf : EntryKind.table;
  }

  itemsLg2(low: number, high: number, level: number): number {
    if ((low & ENCODED_SIZE) !== ENCODED_SIZE) return 0;
    return trailingOnes(entryAddress(low, high)) + 1 - 9 * level;
  }

  leafFrame(low: number, high: number): number {
    const field = entryAddress(low, high);
    if ((low & ENCODED_SIZE) !== ENCODED_SIZE) return field;
    const frames = 2 ** (trailingOnes(field) + 1);
    return Math.floor(field / frames) * frames;
  }

  encodeLeaf(frame: number, level: number, order: number, prot: number, entry: EntryWords): void {
    let high = this.#leafHigh;
    if ((prot & IOMMU_READ) !== 0) high |= READ;
    if ((prot & IOMMU_WRITE) !== 0) high |= WRITE;
    if (order === 9 * level) placeAddress(frame, PRESENT, high, entry);
    else placeAddress(frame + 2 ** (order - 1) - 1, PRESENT | ENCODED_SIZE, high, entry);
  }

  encodeTable(frame: number, level: number, entry: EntryWords): void {
    placeAddress(frame, PRESENT | (level << NEXT_LEVEL_SHIFT), READ | WRITE, entry);
  }
}
