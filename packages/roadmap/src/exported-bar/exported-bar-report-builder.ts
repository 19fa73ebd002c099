// Folds the counters of a finished run over an exported BAR into its StageReport.
// Source followed: the project's design, "what every stage is judged by".
// What only a storage driver has is zero here: requests by class, descriptor pools, a controller's commands.
// Simplified: nothing was revoked, and strict mode has no flush queue.

import { newVtdUnitCounters } from '@sgfree/hw-model';
import { fabricRoutes } from '../fabric-routes.ts';
import { noClasses } from '../no-classes.ts';
import { teardownFailures } from '../report-builder.ts';
import type { StageIdentity } from '../scenario.ts';
import { leftoverCount, type StageReport } from '../stage-report.ts';
import { workSince } from '../work-counts.ts';
import type { ExportedBarReport } from './exported-bar-report.ts';
import type { ExportedBarRun } from './exported-bar-run.ts';
import { type PairUse, sceneLeftovers, scenePeer } from './scene-figures.ts';

/** @internal */
export function buildExportedBarReport(identity: StageIdentity, run: ExportedBarRun): StageReport {
  const { input, importer, scene, tally, requestWork } = run;
  const { counts } = scene.tables;
  const lists = importer.negotiation?.census;
  const unit = scene.kernel.unit?.counters ?? newVtdUnitCounters();
  const total = workSince(run.started, scene.kernel.sampleWork());
  const leftovers = sceneLeftovers(scene, lists?.memory.now ?? 0);
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
    dmaRangesOut: counts.segments + (lists?.counts.entries ?? 0),
    flushQueueDepth: 0,
    tracking: {
      byStructure: {
        scatterlist: counts.arrayBytes,
        ...(lists === undefined ? {} : { 'range list': lists.memory.taken }),
      },
      totalBytes: counts.arrayBytes + (lists?.memory.taken ?? 0),
      // An import holds a table or a list, never both.
      peakBytes: scene.tables.peakBytes + (lists?.memory.peak ?? 0),
    },
    fabric: fabricRoutes(scene.computer.fabric),
    iommu: {
      translations: unit.translations,
      iotlbHits: unit.iotlbHits,
      iotlbMisses: unit.iotlbMisses,
      faults: unit.faults,
    },
    controller: { commands: 0, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: null,
    clockSteps: scene.clock.step,
    peer: scenePeer(scene, pairUseOf(run)),
    exported: exportedReportOf(run),
    leftovers,
    failures: [...tally.failures, ...teardownFailures(leftovers)],
    failureCount: tally.failureCount + (leftoverCount(leftovers) > 0 ? 1 : 0),
  };
}

const pairUseOf = ({ buffers, tally }: ExportedBarRun): PairUse => ({
  barPagesUsed: buffers.pages,
  iosLeftOut: buffers.leftOut,
  refusals: { ...tally.refusals },
  bytesUntouched: tally.bytesUntouched,
});

function exportedReportOf({ scene, importer, region, tally, log }: ExportedBarRun): ExportedBarReport {
  const { counts, heldBytes } = scene.tables;
  const { negotiation } = importer;
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
    negotiated: negotiation?.census.reportOn(negotiation.operation) ?? null,
  };
}
