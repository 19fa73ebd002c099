// secondStageGeometry: how wide and how deep the second-stage tables of a unit are, and which pages they offer.
// Source followed: drivers/iommu/intel/iommu.c compute_vasz_lg2_ss() and intel_iommu_domain_alloc_second_stage().
// Simplified: one unit decides; a domain that spans several units takes the first one's geometry.

import type { VtdCapabilities } from '@sgfree/hw-model';

/**
 * Shape of the second-stage tables that a unit calls for.
 * @public
 */
export interface SecondStageGeometry {
  /** IOVA bits: addresses 0 .. 2^addressBits - 1. */
  readonly addressBits: number;
  /** Table levels: 3, 4 or 5. */
  readonly levels: number;
  /** Page sizes offered, one bit each (`pgsize_bitmap`). */
  readonly pgsizeBitmap: number;
}

const WIDTH_39 = 2;
const WIDTH_48 = 4;
const WIDTH_57 = 8;

/**
 * The geometry for `capabilities`, or null when the unit offers no table that Linux can use.
 * @public
 */
export function secondStageGeometry(capabilities: VtdCapabilities): SecondStageGeometry | null {
  const { adjustedWidths, maxGuestWidth, largePages } = capabilities;
  const pgsizeBitmap =
    0x1000 + ((largePages & 1) === 0 ? 0 : 0x200000) + ((largePages & 2) === 0 ? 0 : 0x40000000);
  if (maxGuestWidth > 48 && adjustedWidths >= WIDTH_57) {
    return { addressBits: Math.min(57, maxGuestWidth), levels: 5, pgsizeBitmap };
  }
  if (maxGuestWidth > 39 && adjustedWidths >= WIDTH_48) {
    const levels = (adjustedWidths & WIDTH_48) === 0 ? 5 : 4;
    return { addressBits: Math.min(48, maxGuestWidth), levels, pgsizeBitmap };
  }
  if (maxGuestWidth > 30 && adjustedWidths >= WIDTH_39) {
    const levels = (adjustedWidths & WIDTH_39) !== 0 ? 3 : (adjustedWidths & WIDTH_48) !== 0 ? 4 : 5;
    return { addressBits: Math.min(39, maxGuestWidth), levels, pgsizeBitmap };
  }
  return null;
}
