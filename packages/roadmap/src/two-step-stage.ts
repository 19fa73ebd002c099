// Stage 1: what NVMe does in Linux 7.3.4. No scatterlist: one IOVA range where the shape allows it, else one mapping per run.
// Source followed: drivers/nvme/host/pci.c and block/blk-mq-dma.c of Linux 7.3.4.
// Simplified: see IovaDataMapper.

import {
  type BlockRequest,
  coherentSourceOf,
  IovaDataMapper,
  type IovaIod,
  NvmePciDriver,
  requestClassOf,
  requestsOf,
} from '@sgfree/block/stage-1';
import { dmaGetMergeBoundary } from '@sgfree/dma-core';
import { driverStack } from './driver-stack.ts';
import { HookedMapper } from './hooked-mapper.ts';
import { meteredSource } from './metered-source.ts';
import { pageLayerMemory } from './page-layer-memory.ts';
import { runPeerScenario } from './peer-scenario.ts';
import type { RunnableStage, StackBuilder } from './scenario.ts';
import { runScenario } from './scenario.ts';

const IDENTITY = { stage: 1, title: 'two-step IOVA API' } as const;

const buildStack: StackBuilder = (machine, hooks) => {
  const { dev } = machine;
  const classOf = (request: BlockRequest) => requestClassOf(request, dmaGetMergeBoundary(dev));
  const driver = new NvmePciDriver<IovaIod>({
    dev,
    registers: machine.controllerRegisters,
    poolSource: meteredSource(coherentSourceOf(dev), hooks),
    makeMapper: (context) => new HookedMapper(new IovaDataMapper(context), hooks, classOf),
  });
  return driverStack(driver, requestsOf);
};

/**
 * Stage 1 as a run.
 * @public
 */
export const stage1: RunnableStage = {
  ...IDENTITY,
  run: (input) => runScenario(IDENTITY, input, buildStack),
  runPeer: (input) => runPeerScenario(IDENTITY, input, pageLayerMemory, buildStack),
};
