// Stage 3: VFIO exports a BAR through a scatterlist table without pages, and RDMA's driver works on that table: it cuts the
// first and the last entry to its window in place, and puts them back.
// Source followed: drivers/vfio/pci/vfio_pci_dmabuf.c and drivers/infiniband/core/umem_dmabuf.c of Linux 7.3.4.
// Simplified: the exporter tells importers that its memory moves, and nobody is revoked yet.

import { ibDeregDmabufMr, ibRegDmabufMr, sgtImport } from '@sgfree/rdma/stage-3';
import type { BarImporter } from './exported-bar/bar-importer.ts';
import { runExportedBar } from './exported-bar/run-exported-bar.ts';
import type { ExportingStage } from './scenario.ts';

const IDENTITY = { stage: 3, title: 'exported BAR, scatterlist table' } as const;

/** RDMA on the exporter's table. @internal */
export const tableImporter: BarImporter = {
  works: 'table',
  via: sgtImport,
  register: ibRegDmabufMr,
  deregister: ibDeregDmabufMr,
};

/**
 * Stage 3 as a run.
 * @public
 */
export const stage3: ExportingStage = {
  ...IDENTITY,
  runExported: (input) => runExportedBar(IDENTITY, input, tableImporter),
};
