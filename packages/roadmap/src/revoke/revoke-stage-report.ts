// The StageReport of stage 6: the figures that every stage has, of a run in which the memory was taken back.
// Source followed: the project's design, "what every stage is judged by". How the buffer was lent and taken back stands in the
// RevokeReport around it; what only a storage driver has is zero.
// Simplified: all mapping work counts as set-up: regions are mapped when they are registered or come back.

import { newVtdUnitCounters } from '@sgfree/hw-model';
import { pciP2pdmaDistance } from '@sgfree/p2p';
import { LENT_BAR } from '../exported-bar/near-computer.ts';
import type { PeerReport } from '../peer-report.ts';
import { teardownFailures } from '../report-builder.ts';
import { type Leftovers, REPORT_CLASSES, type StageReport } from '../stage-report.ts';
import { untranslatedWay } from '../untranslated-way.ts';
import { NO_WORK, workSince } from '../work-counts.ts';
import type { RevokeCast } from './revoke-cast.ts';
import type { RevokeData } from './revoke-data.ts';
import type { RevokeRun } from './revoke-run.ts';

const STAGE = { stage: 6, title: 'exported BAR, taken back' } as const;
const NO_CLASS = { ...NO_WORK, requests: 0, bytes: 0, segments: 0, dmaRangesOut: 0, trackingBytes: 0 };

/** Called when everybody has left. @internal */
export function revokeStageReport(run: RevokeRun, data: RevokeData): StageReport {
  const { cast, settings, lastAccess } = run;
  const { scene } = cast;
  const { kernel, tables } = scene;
  const total = workSince(run.workBefore, kernel.sampleWork());
  const leftovers = leftoversOf(cast);
  const failures = teardownFailures(leftovers);
  const { translations, iotlbHits, iotlbMisses, faults } = kernel.unit?.counters ?? newVtdUnitCounters();
  return {
    ...STAGE,
    mode: settings.iommu ? 'strict' : 'direct',
    seed: settings.seed,
    ios: cast.roles.reduce((sum, { traffic }) => sum + traffic.jobs.length, 0),
    requests: 0,
    classes: classes(),
    requestWork: NO_WORK,
    descriptorPoolPages: 0,
    setup: total,
    total,
    bytesRead: data.moved.read,
    bytesWritten: data.moved.written,
    bytesVerified: data.moved.compared,
    bytesWrong: data.wrong,
    bytesContested: 0,
    dmaRangesOut: tables.counts.segments,
    flushQueueDepth: 0,
    tracking: {
      byStructure: { scatterlist: tables.counts.arrayBytes },
      totalBytes: tables.counts.arrayBytes,
      peakBytes: tables.peakBytes,
    },
    fabric: run.routes,
    iommu: { translations, iotlbHits, iotlbMisses, faults },
    controller: { commands: 0, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: lastAccess,
    clockSteps: scene.clock.step,
    peer: peerReportOf(cast),
    exported: null,
    leftovers,
    failures,
    failureCount: failures.length,
  };
}

const classes = (): StageReport['classes'] =>
  Object.fromEntries(REPORT_CLASSES.map((kind) => [kind, NO_CLASS])) as StageReport['classes'];

function peerReportOf({ scene, slots }: RevokeCast): PeerReport {
  const { computer, kernel } = scene;
  const { pdev } = kernel.vdev;
  return {
    initiator: kernel.adapterFunction.name,
    target: pdev.name,
    bar: LENT_BAR,
    barBytes: scene.barBytes,
    mapType: kernel.mapType,
    untranslatedWay: untranslatedWay(computer.nic.endpoint, computer.disk),
    distance: pciP2pdmaDistance(pdev, kernel.adapterFunction, false),
    barPagesUsed: slots.pages,
    iosLeftOut: 0,
    structPages: 0,
    structPageBytes: 0,
    refusals: {},
    bytesUntouched: 0,
  };
}

function leftoversOf({ scene }: RevokeCast): Leftovers {
  const { kernel, near, tables } = scene;
  const { files, buffers } = kernel.dmaBufs;
  return {
    iovaRanges: kernel.liveIovaRanges,
    pageTableEntries: kernel.liveTableEntries,
    iotlbEntries: kernel.unit?.iotlb.live ?? 0,
    coherentFrames: 0,
    descriptorBlocks: 0,
    trackingBytes: tables.heldBytes,
    p2pmemBlocks: 0,
    dmaBufs: files.count + buffers.size + (kernel.vdev.registration.refs - 1),
    memoryRegions: near.device.nic.keys.size,
  };
}
