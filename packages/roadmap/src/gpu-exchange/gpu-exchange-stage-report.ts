// The StageReport of an exchange: the figures that every stage is judged by.
// Source followed: the project's design, "what every stage is judged by".
// Simplified: the disk's requests are of no class of the block layer: nothing is mapped for them.

import { newVtdUnitCounters } from '@sgfree/hw-model';
import { fabricRoutes } from '../fabric-routes.ts';
import { noClasses } from '../no-classes.ts';
import { teardownFailures } from '../report-builder.ts';
import type { Leftovers, StageFailure, StageReport } from '../stage-report.ts';
import { workSince } from '../work-counts.ts';
import type { ExchangeRun } from './exchange-run.ts';
import type { GpuExchangeMove } from './gpu-exchange-report.ts';

const TITLES = {
  'range-list': 'GPU VRAM, range lists by mapping type',
  amdgpu: 'GPU VRAM, tables as amdgpu makes them',
  xe: 'GPU VRAM, tables as xe makes them',
} as const;

/** The report of a run that has been left. @internal */
export function exchangeStageReport<M extends object>(
  run: ExchangeRun<M>,
  moves: readonly GpuExchangeMove[],
): StageReport {
  const { scene, settings, traffic } = run;
  const { kernel, computer, census, data, disk } = scene;
  const total = workSince(run.workBefore, kernel.translation.sampleWork());
  const leftovers = leftoversOf(run);
  const failures = [...run.failures.map(failureOf), ...teardownFailures(leftovers)];
  const { translations, iotlbHits, iotlbMisses, faults } =
    kernel.translation.unit?.counters ?? newVtdUnitCounters();
  const { commands, prpEntriesFetched, sglDescriptorsFetched, errors } = computer.disk.counters;
  const { tracking } = disk.driver;
  return {
    stage: 8,
    title: TITLES[settings.way],
    mode: settings.iommu ? 'strict' : 'direct',
    seed: settings.seed,
    ios: traffic.length * settings.rounds,
    requests: disk.requests,
    classes: noClasses(),
    requestWork: run.requestWork,
    descriptorPoolPages: 0,
    setup: workSince(run.requestWork, total),
    total,
    bytesRead: traffic.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    bytesWritten: traffic.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    bytesVerified: data.verified,
    bytesWrong: data.wrong,
    bytesContested: 0,
    dmaRangesOut: census.entries,
    flushQueueDepth: 0,
    tracking: {
      byStructure: {
        ...tracking.taken,
        [scene.way.scatterlist ? 'scatterlist' : 'range list']: census.memory.taken,
      },
      totalBytes: tracking.takenBytes + census.memory.taken,
      peakBytes: tracking.peak + census.memory.peak,
    },
    fabric: fabricRoutes(computer.fabric),
    iommu: { translations, iotlbHits, iotlbMisses, faults },
    controller: { commands, prpEntriesFetched, sglDescriptorsFetched, errors },
    revokeToLastAccessSteps: Math.max(0, ...moves.map(({ lastAccess }) => lastAccess ?? 0)),
    clockSteps: scene.clock.step,
    peer: null,
    exported: null,
    leftovers,
    failures,
    failureCount: failures.length,
  };
}

const failureOf = (detail: string): StageFailure => ({ kind: 'request', io: -1, detail });

function leftoversOf<M extends object>({ scene }: ExchangeRun<M>): Leftovers {
  const { kernel, disk, near, census } = scene;
  const { files, buffers } = kernel.dmaBufs;
  return {
    iovaRanges: kernel.translation.liveIovaRanges,
    pageTableEntries: kernel.translation.liveTableEntries,
    iotlbEntries: kernel.translation.unit?.iotlb.live ?? 0,
    coherentFrames: kernel.pages.liveFrames,
    descriptorBlocks: disk.driver.pools.small.liveBlocks + disk.driver.pools.large.liveBlocks,
    trackingBytes: disk.driver.tracking.held + census.memory.now,
    p2pmemBlocks: 0,
    dmaBufs: files.count + buffers.size,
    memoryRegions: near.device.nic.keys.size,
  };
}
