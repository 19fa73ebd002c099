// Tables as the last offer of a VFIO exporter, and the call that stage 3 makes a whole device of them with, on its way out.
// Source followed: the RFC's VFIO conversion: tables that require peer-to-peer.
// Simplified: none.

import type { DmaBufMappingMatch } from '@sgfree/dma-buf';
import { type DmaBufMappingSgtExpOps, sgtExporterMatch } from '@sgfree/dma-buf/sgt';
import type { VfioMapping } from '../export/exporter-mapping.ts';
import { vfioPciDmaBufOps } from '../export/exporter-ops.ts';
import {
  vfioSgtMapping as sgtMapping,
  type VfioSgTable,
  type VfioSgtOptions,
} from '../export/sgt-mapping.ts';
import type { VfioPciDmaBuf } from '../export/vfio-pci-dma-buf.ts';

/**
 * The offer of tables, for the `tables` of {@link vfioMappingTypes}.
 * @alpha
 */
export function vfioSgtOffer(options: VfioSgtOptions = {}): (priv: VfioPciDmaBuf) => DmaBufMappingMatch {
  const ops = vfioPciDmaBufOps(sgtMapping(options));
  const tables: DmaBufMappingSgtExpOps = {
    mapDmaBuf: (attach, dir) => ops.mapDmaBuf(attach, dir),
    unmapDmaBuf: (attach, table, dir) => ops.unmapDmaBuf(attach, table, dir),
  };
  return ({ provider }) => sgtExporterMatch(tables, provider.owner);
}

/**
 * Mappings that are tables.
 * @deprecated since stage 5; absent from stage 8; use {@link vfioMappingTypes}: importers get addresses without a table, and
 * {@link vfioSgtOffer} keeps those that still want one.
 * @public
 */
export function vfioSgtMapping(options: VfioSgtOptions = {}): VfioMapping<VfioSgTable> {
  return sgtMapping(options);
}
