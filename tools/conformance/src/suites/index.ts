// Every suite the runner knows, in the order in which headers are offered to them.

import type { Suite } from '../suite.ts';
import { dmaIovaSuite } from './dma-iova.ts';
import { dmasgGoldenSuite } from './dmasg-golden.ts';
import { flushQueueSuite } from './fq.ts';
import { hwdomSuite } from './hwdom.ts';
import { iommufdSuite } from './iommufd.ts';
import { iovaGoldenSuite } from './iova-golden.ts';
import { iovaKernelSuite } from './iova-kernel.ts';
import { mapSuite } from './map.ts';
import { nvioSuite } from './nvio.ts';
import { p2pPairsSuite } from './p2p-pairs.ts';
import { p2pSgSuite } from './p2p-sg.ts';
import { pgtableSuite } from './pgtable.ts';
import { physVecSuite } from './phys-vec.ts';
import { ptGoldenSuite } from './pt-golden.ts';
import { sgAppendSuite } from './sg-append.ts';
import { sgGoldenSuite } from './sg-golden.ts';
import { swiotlbSuite } from './swiotlb.ts';
import { traceBootSuite } from './trace-boot.ts';
import { vfioDmaBufSuite } from './vfio-dmabuf.ts';

export const suites: readonly Suite[] = [
  iovaGoldenSuite,
  iovaKernelSuite,
  ptGoldenSuite,
  pgtableSuite,
  hwdomSuite,
  dmaIovaSuite,
  sgAppendSuite,
  sgGoldenSuite,
  dmasgGoldenSuite,
  mapSuite,
  flushQueueSuite,
  swiotlbSuite,
  p2pPairsSuite,
  p2pSgSuite,
  physVecSuite,
  nvioSuite,
  traceBootSuite,
  iommufdSuite,
  vfioDmaBufSuite,
];
