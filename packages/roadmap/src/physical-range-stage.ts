// Stage 2: the DMA API needs no struct page. Requests carry physical ranges and, for a peer's BAR, its provider.
// Source followed: dma_map_phys and the provider layer of p2pdma in Linux 7.3.4; its block layer still asks the first page
// of a request, so that the mapper here is this project's own step on the road.
// Simplified: see PhysDataMapper.

import {
  coherentSourceOf,
  NvmePciDriver,
  type PageBacking,
  PhysDataMapper,
  type PhysIod,
  type PhysRequest,
  physRequestsOf,
  type QueueLimits,
  requestClassOf,
} from '@sgfree/block/stage-2';
import { dmaGetMergeBoundary } from '@sgfree/dma-core';
import { type P2pdmaProvider, pciP2pdmaBusAddrMap, pciP2pdmaMapType } from '@sgfree/p2p/stage-2';
import { driverStack } from './driver-stack.ts';
import { HookedMapper } from './hooked-mapper.ts';
import { type IoRecord, piecesOf } from './io-record.ts';
import { meteredSource } from './metered-source.ts';
import type { NvmeMachine } from './nvme-machine.ts';
import { runPeerScenario } from './peer-scenario.ts';
import { type ProviderRoutes, providerLayerMemory } from './provider-layer-memory.ts';
import { type RunnableStage, runScenario } from './scenario.ts';
import type { StackHooks, StorageStack } from './storage-stack.ts';

const IDENTITY = { stage: 2, title: 'physical ranges, no struct page' } as const;

/** Whose memory all I/Os of a run are in, and who knows the way there. */
interface Whose {
  readonly provider: P2pdmaProvider | null;
  readonly routes: ProviderRoutes;
}

/** Ordinary memory: no provider is ever asked about. */
const ownMemory: Whose = {
  provider: null,
  routes: { mapType: pciP2pdmaMapType, busAddress: pciP2pdmaBusAddrMap },
};

function buildStack(machine: NvmeMachine, hooks: StackHooks, { provider, routes }: Whose): StorageStack {
  const { dev } = machine;
  type Request = PhysRequest<P2pdmaProvider>;
  const classOf = (request: Request) => requestClassOf(request, dmaGetMergeBoundary(dev));
  const driver = new NvmePciDriver<PhysIod<P2pdmaProvider>, Request>({
    dev,
    registers: machine.controllerRegisters,
    poolSource: meteredSource(coherentSourceOf(dev), hooks),
    makeMapper: (context) => new HookedMapper(new PhysDataMapper(context, routes), hooks, classOf),
  });
  return driverStack(driver, (io: IoRecord, backing: PageBacking, limits: QueueLimits) => {
    const { operation, position } = io;
    return physRequestsOf(
      { operation, position, runs: [{ provider, ranges: piecesOf(io) }] },
      backing,
      limits,
    );
  });
}

/**
 * Stage 2 as a run.
 * @public
 */
export const stage2: RunnableStage = {
  ...IDENTITY,
  run: (input) => runScenario(IDENTITY, input, (machine, hooks) => buildStack(machine, hooks, ownMemory)),
  runPeer: (input) => runPeerScenario(IDENTITY, input, providerLayerMemory, buildStack),
};
