// The StageReport of stage 6: the figures that every stage has, of a run in which the memory was taken back.
// Source followed: the project's design, "what every stage is judged by". How the buffer was lent and taken back stands in the
// RevokeReport around it; what only a storage driver has is zero.
// Simplified: all mapping work counts as set-up: regions are mapped when they are registered or come back.

import { newVtdUnitCounters } from '@sgfree/hw-model';
import { type PairUse, sceneLeftovers, scenePeer } from '../exported-bar/scene-figures.ts';
import { fabricRoutes } from '../fabric-routes.ts';
import { noClasses } from '../no-classes.ts';
import { teardownFailures } from '../report-builder.ts';
import type { StageReport } from '../stage-report.ts';
import { NO_WORK, workSince } from '../work-counts.ts';
import type { RevokeData } from './revoke-data.ts';
import type { RevokeRun } from './revoke-run.ts';

const STAGES = {
  table: { stage: 6, title: 'exported BAR, taken back' },
  'range-list': { stage: 5, title: 'exported BAR, range list, taken back' },
  deprecated: { stage: 5, title: 'exported BAR, deprecated table, taken back' },
} as const;
const NO_LIST: Omit<PairUse, 'barPagesUsed'> = { iosLeftOut: 0, refusals: {}, bytesUntouched: 0 };

/** Called when everybody has left. @internal */
export function revokeStageReport(run: RevokeRun, data: RevokeData): StageReport {
  const { cast, settings, lastAccess } = run;
  const { scene, slots, way } = cast;
  const { kernel, tables } = scene;
  const { counts: lists, memory } = way.census;
  const total = workSince(run.workBefore, kernel.sampleWork());
  const leftovers = sceneLeftovers(scene, memory.now);
  const failures = teardownFailures(leftovers);
  const { translations, iotlbHits, iotlbMisses, faults } = kernel.unit?.counters ?? newVtdUnitCounters();
  return {
    ...STAGES[settings.op],
    mode: settings.iommu ? 'strict' : 'direct',
    seed: settings.seed,
    ios: cast.roles.reduce((sum, { traffic }) => sum + traffic.jobs.length, 0),
    requests: 0,
    classes: noClasses(),
    requestWork: NO_WORK,
    descriptorPoolPages: 0,
    setup: total,
    total,
    bytesRead: data.moved.read,
    bytesWritten: data.moved.written,
    bytesVerified: data.moved.compared,
    bytesWrong: data.wrong,
    bytesContested: 0,
    dmaRangesOut: tables.counts.segments + lists.entries,
    flushQueueDepth: 0,
    tracking: {
      byStructure: { scatterlist: tables.counts.arrayBytes, 'range list': memory.taken },
      totalBytes: tables.counts.arrayBytes + memory.taken,
      peakBytes: tables.peakBytes + memory.peak,
    },
    fabric: fabricRoutes(scene.computer.fabric),
    iommu: { translations, iotlbHits, iotlbMisses, faults },
    controller: { commands: 0, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: lastAccess,
    clockSteps: scene.clock.step,
    peer: scenePeer(scene, { ...NO_LIST, barPagesUsed: slots.pages }),
    exported: null,
    leftovers,
    failures,
    failureCount: failures.length,
  };
}
