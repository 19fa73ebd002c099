// The exporter of stage 5: VFIO with mapping types: range lists, and tables as the last offer, each of which is counted.
// Source followed: the RFC's VFIO conversion; range lists are our own.
// Simplified: none.

import type { DmaBufMappingMatch } from '@sgfree/dma-buf/stage-5';
import {
  type VfioMapping,
  type VfioMappingTypesOptions,
  type VfioOffer,
  vfioMappingTypes,
  vfioSgtOffer,
} from '@sgfree/vfio-dmabuf/stage-5';
import type { TableCensus } from './table-census.ts';

/** A VFIO exporter with mapping types; `tables` counts the tables that it hands out nevertheless. @internal */
export function mappingTypesExporter(
  tables: TableCensus,
  more: readonly VfioOffer[] = [],
): VfioMapping<unknown> {
  const offer = vfioSgtOffer({ sgArrays: tables });
  const options: VfioMappingTypesOptions = {
    more,
    tables: (priv): DmaBufMappingMatch => tables.countedOffer(offer(priv)),
  };
  return vfioMappingTypes(options);
}
