// RevokeOperation: how regions get at the lent memory: tables, or range lists at an exporter with mapping types; and what crossed.
// Source followed: drivers/vfio/pci/vfio_pci_dmabuf.c for tables; the RFC's mapping types and our own range lists.
// The revoke is the same for both: the exporter waits for mappings, whatever they are.
// Simplified: none.

import { sgtFallback, sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { type DmabufImport, rangeImport, rangeListImport } from '@sgfree/rdma/stage-6';
import type { VfioMapping } from '@sgfree/vfio-dmabuf/stage-6';
import { deprecatedImports } from '../exported-bar/deprecation-log.ts';
import { ImportCensus } from '../exported-bar/import-census.ts';
import { mappingTypesExporter } from '../exported-bar/mapping-types-exporter.ts';
import type { TableCensus } from '../exported-bar/table-census.ts';
import type { LentMapping } from './lent-mapping.ts';
import type { RevokeCast } from './revoke-cast.ts';
import type { RevokeOperation } from './revoke-input.ts';

/** Both sides of an operation. @internal */
export interface RevokeImport {
  readonly via: DmabufImport<LentMapping>;
  /** Counts range lists. */
  readonly census: ImportCensus;
  /** Absent = the exporter has tables only. */
  readonly exporter?: (tables: TableCensus) => VfioMapping<unknown>;
}

/** @internal */
export function importOver(op: RevokeOperation): RevokeImport {
  const census = new ImportCensus();
  if (op === 'table') return { census, via: rangeImport(sgtRangeSource) };
  const via = census.counted(rangeListImport(sgtFallback));
  return op === 'deprecated' ? { census, via } : { census, via, exporter: mappingTypesExporter };
}

/**
 * What crossed from exporter to importers over a run.
 * @public
 */
export interface RevokeCrossing {
  /** Scatterlist tables. */
  readonly tables: number;
  /** DMA segments of all of them. */
  readonly tableEntries: number;
  /** Range lists. */
  readonly rangeLists: number;
  /** Entries of all of them. */
  readonly rangeListEntries: number;
  /** Bytes that tracking them took. */
  readonly rangeListBytes: number;
  /** Imports that warned of the deprecated operation. */
  readonly deprecatedImports: number;
  /** Attachments by the name of the mapping type that was agreed on; none where nothing is negotiated. */
  readonly agreed: Readonly<Record<string, number>>;
}

/** @internal */
export function revokeCrossing({ scene, way, log }: RevokeCast): RevokeCrossing {
  const { tables, segments } = scene.tables.counts;
  const { counts, memory } = way.census;
  const { lists, entries, agreed } = counts;
  return {
    tables,
    tableEntries: segments,
    rangeLists: lists,
    rangeListEntries: entries,
    rangeListBytes: memory.taken,
    deprecatedImports: deprecatedImports(log.events),
    agreed: { ...agreed },
  };
}
