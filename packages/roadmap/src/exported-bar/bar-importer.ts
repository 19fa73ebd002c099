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
import type { VfioSgTable } from '@sgfree/vfio-dmabuf';

/**
 * A region over the exporter's buffer.
 * @internal
 */
export type BarRegion = UmemMr<IbUmemDmabuf<VfioSgTable>>;

/**
 * The driver's side of an import.
 * @internal
 */
export interface BarImporter {
  readonly works: 'table' | 'ranges';
  readonly via: DmabufImport<VfioSgTable>;
  register(
    pd: IbPd,
    request: DmabufRequest<VfioSgTable>,
    iova: number,
    faults: PageFaultService,
  ): ModelTask<Outcome<BarRegion>>;
  deregister(region: BarRegion): ModelTask<number>;
}
