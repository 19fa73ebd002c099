// Folds the counters of a finished run over an exported BAR into its StageReport.
// Source followed: the project's design, "what every stage is judged by".
// What only a storage driver has is zero here: requests by class, descriptor pools, a controller's commands.
// Simplified: nothing was revoked, and strict mode has no flush queue.

import { newVtdUnitCounters } from '@sgfree/hw-model';
import { pciP2pdmaDistance } from '@sgfree/p2p';
import type { PeerReport } from '../peer-report.ts';
import { teardownFailures } from '../report-builder.ts';
import type { StageIdentity } from '../scenario.ts';
import {
  type ClassReport,
  type Leftovers,
  leftoverCount,
  REPORT_CLASSES,
  type ReportClass,
  type StageReport,
} from '../stage-report.ts';
import { untranslatedWay } from '../untranslated-way.ts';
import { NO_WORK, workSince } from '../work-counts.ts';
import type { ExportedBarReport } from './exported-bar-report.ts';
import type { ExportedBarRun } from './exported-bar-run.ts';
import { LENT_BAR } from './near-computer.ts';

const NO_REQUESTS: ClassReport = {
  ...NO_WORK,
  requests: 0,
  bytes: 0,
  segments: 0,
  dmaRangesOut: 0,
  trackingBytes: 0,
};

/** @internal */
export function buildExportedBarReport(identity: StageIdentity, run: ExportedBarRun): StageReport {
  const { input, scene, tally, requestWork } = run;
  const { counts } = scene.tables;
  const unit = scene.kernel.unit?.counters ?? newVtdUnitCounters();
  const total = workSince(run.started, scene.kernel.sampleWork());
  const leftovers = leftoversOf(run);
  return {
    ...identity,
    mode: input.iommu ? 'strict' : 'direct',
    seed: input.seed,
    ios: input.ios.length,
    requests: 0,
    classes: noClasses(),
    requestWork,
    descriptorPoolPages: 0,
    setup: workSince(requestWork, total),
    total,
    bytesRead: tally.bytesRead,
    bytesWritten: tally.bytesWritten,
    bytesVerified: tally.bytesVerified,
    bytesWrong: tally.bytesWrong,
    bytesContested: tally.bytesContested,
    dmaRangesOut: counts.segments,
    flushQueueDepth: 0,
    tracking: {
      byStructure: { scatterlist: counts.arrayBytes },
      totalBytes: counts.arrayBytes,
      peakBytes: scene.tables.peakBytes,
    },
    fabric: routesOf(scene.computer.fabric.counters),
    iommu: {
      translations: unit.translations,
      iotlbHits: unit.iotlbHits,
      iotlbMisses: unit.iotlbMisses,
      faults: unit.faults,
    },
    controller: { commands: 0, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: null,
    clockSteps: scene.clock.step,
    peer: peerReportOf(run),
    exported: exportedReportOf(run),
    leftovers,
    failures: [...tally.failures, ...teardownFailures(leftovers)],
    failureCount: tally.failureCount + (leftoverCount(leftovers) > 0 ? 1 : 0),
  };
}

const noClasses = (): Record<ReportClass, ClassReport> =>
  Object.fromEntries(REPORT_CLASSES.map((kind) => [kind, NO_REQUESTS])) as Record<ReportClass, ClassReport>;

type Routes = StageReport['fabric'];

function routesOf({ memory, switchLocal, hostBridge, refused }: Routes): Routes {
  return {
    memory: { ...memory },
    switchLocal: { ...switchLocal },
    hostBridge: { ...hostBridge },
    refused: { ...refused },
  };
}

function peerReportOf({ scene, buffers, tally }: ExportedBarRun): PeerReport {
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
    barPagesUsed: buffers.pages,
    iosLeftOut: buffers.leftOut,
    structPages: 0,
    structPageBytes: 0,
    refusals: { ...tally.refusals },
    bytesUntouched: tally.bytesUntouched,
  };
}

function exportedReportOf({ scene, importer, region, tally, log }: ExportedBarRun): ExportedBarReport {
  const { counts, heldBytes } = scene.tables;
  const { counters } = scene.near.device.nic;
  return {
    importer: importer.works,
    tables: counts.tables,
    tableEntries: counts.segments,
    cpuEntries: counts.cpuEntries,
    entriesWithoutPage: counts.withoutPage,
    entriesChanged: counts.changed,
    tablesSpoiled: counts.spoiled,
    entryArrayBytes: counts.arrayBytes,
    entryArrayBytesLeft: heldBytes,
    regionBlockBytes: region.blockBytes,
    regionBlocks: region.blocks,
    workRequests: tally.workRequests,
    completions: { ...tally.completions },
    bytesScattered: counters.bytesScattered,
    bytesGathered: counters.bytesGathered,
    pageFaults: counters.pageFaults,
    retransmissions: counters.retransmissions,
    violations: [...log.rules],
  };
}

function leftoversOf({ scene }: ExportedBarRun): Leftovers {
  const { kernel, near, tables } = scene;
  const { files, buffers } = kernel.dmaBufs;
  const { registration, openCount } = kernel.vdev;
  return {
    iovaRanges: kernel.liveIovaRanges,
    pageTableEntries: kernel.liveTableEntries,
    iotlbEntries: kernel.unit?.iotlb.live ?? 0,
    coherentFrames: 0,
    descriptorBlocks: 0,
    trackingBytes: tables.heldBytes,
    p2pmemBlocks: 0,
    dmaBufs: files.count + buffers.size + (registration.refs - 1 - openCount),
    memoryRegions: near.device.nic.keys.size,
  };
}
