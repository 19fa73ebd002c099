// BarImporter: what a stage brings to a run over an exported BAR: how the adapter's driver imports and registers the buffer.
// Source followed: the project's rule that a scenario is wired by its stage entry: this file names no stage of rdma but the
// first without a scatterlist inside.
// Simplified: one way of registering per stage.

import type { ModelTask } from '@sgfree/hw-model';
import type { Outcome } from '@sgfree/mm';
import type {
  DmabufImport,
  DmabufRequest,
  IbPd,
  IbUmemDmabuf,
  PageFaultService,
  UmemMr,
} from '@sgfree/rdma/stage-4';
import type { VfioMapping } from '@sgfree/vfio-dmabuf';
import type { ImportCensus } from './import-census.ts';
import type { LentBarMapping } from './lent-bar-mapping.ts';
import type { NegotiatedReport } from './negotiated-report.ts';
import type { TableCensus } from './table-census.ts';

/**
 * A region over the exporter's buffer.
 * @internal
 */
export type BarRegion = UmemMr<IbUmemDmabuf<LentBarMapping>>;

/**
 * The driver's side of an import.
 * @internal
 */
export interface BarImporter {
  readonly works: 'table' | 'ranges';
  readonly via: DmabufImport<LentBarMapping>;
  register(
    pd: IbPd,
    request: DmabufRequest<LentBarMapping>,
    iova: number,
    faults: PageFaultService,
  ): ModelTask<Outcome<BarRegion>>;
  deregister(region: BarRegion): ModelTask<number>;
  /** What is negotiated, and who counts it; absent before stage 5. */
  readonly negotiation?: {
    readonly operation: NegotiatedReport['operation'];
    readonly census: ImportCensus;
  };
  /** How the BAR is exported, given who counts its tables; absent = as tables. */
  readonly exporter?: (tables: TableCensus) => VfioMapping<unknown>;
}
