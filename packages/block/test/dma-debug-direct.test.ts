// The driver on the direct map with the checker present: a kernel built with it unmaps every segment, and the checker sees
// each go.

import { DmaDebug, type DmaDebugFinding, dmaDebugDeviceChange } from '@sgfree/dma-core';
import { physAddr } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import {
  IovaDataMapper,
  type NvmeDataMapper,
  type NvmeIod,
  type NvmeMappingContext,
  NvmePciDriver,
  requestsOf,
} from '../src/index.ts';
import { SgDataMapper } from '../src/stage-0.ts';
import { nvmeMachine } from './nvme-machine.ts';
import { unwrapped } from './outcome-value.ts';

const PAGE = 4096;

it.each<[string, (context: NvmeMappingContext) => NvmeDataMapper<NvmeIod>]>([
  ['scatterlist', (context) => new SgDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>],
  [
    'one dma_map_phys per segment',
    (context) => new IovaDataMapper(context) as unknown as NvmeDataMapper<NvmeIod>,
  ],
])('%s', (_name, makeMapper) => {
  const machine = nvmeMachine({ iommu: false });
  const findings: DmaDebugFinding[] = [];
  const debug = new DmaDebug({ onFinding: (finding) => findings.push(finding) });
  machine.dev.platform.debug = debug;
  const driver = new NvmePciDriver({ dev: machine.dev, registers: machine.registers, makeMapper });
  function* run() {
    expect(yield* driver.probe()).toBe(0);
    const idle = debug.liveMappings;
    for (const count of [1, 2, 9]) {
      const buffer = Array.from({ length: count }, (_, at) => ({
        phys: physAddr(0x100000 + at * 3 * PAGE),
        bytes: PAGE,
      }));
      for (const operation of ['write', 'read'] as const) {
        const io = { operation, position: 0, iovecs: [buffer] };
        const results = yield* driver.execute(unwrapped(requestsOf(io, 'base-pages', driver.limits)));
        expect(results.map(({ status }) => status)).toEqual(['ok']);
      }
    }
    // What stays beside the rings is the pages of the descriptor pools.
    expect(debug.liveMappings - idle).toBe(driver.pools.small.pages + driver.pools.large.pages);
    yield* driver.remove();
  }
  machine.scheduler.runTask('test', run());
  dmaDebugDeviceChange(machine.dev);
  expect([findings, debug.liveMappings]).toEqual([[], 0]);
});
