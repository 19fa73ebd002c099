// Stage 0: the starting point. Every request is described by a scatterlist and mapped with dma_map_sg.
// Source followed: the NVMe driver before the two-step API, over the requests and limits of Linux 7.3.4.
// Simplified: see SgDataMapper.

import {
  type BlockRequest,
  coherentSourceOf,
  NvmePciDriver,
  requestClassOf,
  requestsOf,
  SgDataMapper,
  type SgIod,
} from '@sgfree/block/stage-0';
import { dmaGetMergeBoundary } from '@sgfree/dma-core';
import { driverStack } from './driver-stack.ts';
import { HookedMapper } from './hooked-mapper.ts';
import { meteredSource } from './metered-source.ts';
import { pageLayerMemory } from './page-layer-memory.ts';
import { runPeerScenario } from './peer-scenario.ts';
import type { RunnableStage, StackBuilder } from './scenario.ts';
import { runScenario } from './scenario.ts';

const IDENTITY = { stage: 0, title: 'scatterlist, dma_map_sg' } as const;

/** The driver of this stage. @internal */
export const scatterlistStack: StackBuilder = (machine, hooks) => {
  const { dev } = machine;
  const classOf = (request: BlockRequest) => requestClassOf(request, dmaGetMergeBoundary(dev));
  const driver = new NvmePciDriver<SgIod>({
    dev,
    registers: machine.controllerRegisters,
    poolSource: meteredSource(coherentSourceOf(dev), hooks),
    makeMapper: (context) => new HookedMapper(new SgDataMapper(context), hooks, classOf),
  });
  return driverStack(driver, requestsOf);
};

/**
 * Stage 0 as a run.
 * @public
 */
export const stage0: RunnableStage = {
  ...IDENTITY,
  run: (input) => runScenario(IDENTITY, input, scatterlistStack),
  runPeer: (input) => runPeerScenario(IDENTITY, input, pageLayerMemory, scatterlistStack),
};
