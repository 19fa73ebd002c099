// Stage 4: RDMA has no scatterlist inside. The dma-buf still hands out a table; an adapter, wired here, turns it into addresses
// and lengths, and RDMA keeps its window beside them.
// Source followed: the project's own step on the road: Linux 7.3.4 has done a part of it (ranges inside RDMA's rw helpers).
// Simplified: as stage 3.

import { sgtRangeSource } from '@sgfree/dma-buf/sgt';
import { ibDeregDmabufMr, ibRegDmabufMr, rangeImport } from '@sgfree/rdma/stage-4';
import type { BarImporter } from './exported-bar/bar-importer.ts';
import { runExportedBar } from './exported-bar/run-exported-bar.ts';
import type { ExportingStage } from './scenario.ts';

const IDENTITY = { stage: 4, title: 'exported BAR, no scatterlist in RDMA' } as const;

/** RDMA on addresses and lengths. @internal */
export const rangeImporter: BarImporter = {
  works: 'ranges',
  via: rangeImport(sgtRangeSource),
  register: ibRegDmabufMr,
  deregister: ibDeregDmabufMr,
};

/**
 * Stage 4 as a run.
 * @public
 */
export const stage4: ExportingStage = {
  ...IDENTITY,
  runExported: (input) => runExportedBar(IDENTITY, input, rangeImporter),
};
