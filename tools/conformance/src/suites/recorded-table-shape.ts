// The page-table format behind a recorded domain: told from the page sizes and the aperture in its header.
// Source followed: dma-core.md of the kernel notes, sections 3.3 (apertures) and 4.5 (page sizes). AMD tables offer
// every power of two; a first-stage table has only the lower half of a sign-extended space.
// Simplified: what no record of a mapping suite can show (snoop bits, incoherent walkers) is left at its default.

import { AmdV1Format, type PageTableFormat, VtdSecondStageFormat, X8664Format } from '@sgfree/iommu';
import { BrokenHeader } from '../suite.ts';

/** How to build the table. */
export interface RecordedTableShape {
  readonly format: PageTableFormat;
  readonly vaBits: number;
  readonly pgsizeBitmap: number;
}

const EIGHT_KIB = 8192;
/** A unit needs more than 30 bits for three levels, and has no more than five. */
const NARROWEST = 31;
const WIDEST = 57;
const FIRST_STAGE_BITS: readonly number[] = [47, 56];

/** The shape for a bitmap of page sizes and the last page frame of the aperture; throws {@link BrokenHeader}. */
export function recordedTableShape(pgsizeBitmap: number, lastFrame: number): RecordedTableShape {
  const bits = Math.log2(lastFrame + 1) + 12;
  if (Math.floor(pgsizeBitmap / EIGHT_KIB) % 2 === 1 && Number.isInteger(bits)) {
    return { format: new AmdV1Format(), vaBits: bits, pgsizeBitmap };
  }
  if (FIRST_STAGE_BITS.includes(bits)) {
    const format = new X8664Format({ signExtend: true, flushRange: true });
    return { format, vaBits: bits + 1, pgsizeBitmap };
  }
  if (Number.isInteger(bits) && bits >= NARROWEST && bits <= WIDEST) {
    return { format: new VtdSecondStageFormat({ flushRange: true }), vaBits: bits, pgsizeBitmap };
  }
  throw new BrokenHeader(`no page table has an aperture up to page frame 0x${lastFrame.toString(16)}`);
}

/** True for tables of a VT-d unit. */
export const isVtd = ({ format }: RecordedTableShape): boolean => !(format instanceof AmdV1Format);
