// Every bench case, in the order in which they are printed.

import type { BenchCase } from '../bench-case.ts';
import { flushQueueMapUnmap } from './dma-flush-queue.ts';
import { dmaMapUnmap } from './dma-map-unmap.ts';
import { iotlbCases } from './iotlb.ts';
import { iovaCachedPair, iovaTreePair } from './iova-pair.ts';
import { iovaReplacements } from './iova-replace.ts';
import { p2pAllPairs } from './p2p-all-pairs.ts';
import { pageTableFillCases } from './page-table-fill.ts';
import { pageTableMapUnmapCases } from './page-table-map-unmap.ts';
import { sg256 } from './sg-256.ts';
import { sgTableBuilds } from './sg-table-build.ts';
import { swiotlbMapUnmap } from './swiotlb-map-unmap.ts';
import { topologyRead } from './topology-read.ts';
import { traceRead } from './trace-read.ts';
import { traceReplay, traceReplayRuns } from './trace-replay.ts';
import { twoStep256 } from './two-step-256.ts';

export const benchCases: readonly BenchCase[] = [
  iovaCachedPair,
  iovaTreePair,
  ...iovaReplacements,
  dmaMapUnmap,
  flushQueueMapUnmap,
  swiotlbMapUnmap,
  ...sgTableBuilds,
  sg256,
  twoStep256,
  ...pageTableMapUnmapCases,
  ...pageTableFillCases,
  ...iotlbCases,
  topologyRead,
  p2pAllPairs,
  traceRead,
  traceReplay,
  traceReplayRuns,
];
