// The import of stage 4, which reads ranges out of whatever an exporter maps, in the era in which it is on its way out.
// Source followed: our own.
// Simplified: none.

import type { DmabufImport } from '../umem/dmabuf-import.ts';
import { type DmabufRangeSource, rangeImport as importOfStage4 } from '../umem/range-import.ts';

/**
 * Imports through `source`; the window is kept beside the ranges and never written into the mapping.
 * @deprecated since stage 5; absent from stage 8; use {@link rangeListImport}: the exporter hands out addresses without a
 * table, and a source of tables is its fallback.
 * @beta
 */
export function rangeImport<Mapping>(source: DmabufRangeSource<Mapping>): DmabufImport<Mapping> {
  return importOfStage4(source);
}
