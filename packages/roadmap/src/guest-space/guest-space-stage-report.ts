// The StageReport of stage 7: the figures that every stage has, of a run of a guest. What the doors and the revoke came to stands in
// the GuestSpaceReport around it. Zero is what a guest's machine cannot have: requests of a block layer, a controller's commands and
// descriptors, coherent memory, a pool of a peer's pages, a flush queue.
// Source followed: the project's design, "what every stage is judged by".
// Simplified: all mapping work counts as set-up.

import { fabricRoutes } from '../fabric-routes.ts';
import { noClasses } from '../no-classes.ts';
import { teardownFailures } from '../report-builder.ts';
import type { Leftovers, StageReport } from '../stage-report.ts';
import { NO_WORK, workSince } from '../work-counts.ts';
import type { GuestDataCheck } from './guest-space-data.ts';
import type { GuestSpaceRun } from './guest-space-run.ts';
import type { GuestSpaceScene } from './guest-space-scene.ts';

/** Called when everybody has left. @internal */
export function guestStageReport(run: GuestSpaceRun, data: GuestDataCheck): StageReport {
  const { scene, settings, watch, ram, bar } = run;
  const total = workSince(scene.workBefore, scene.sampleWork());
  const leftovers = leftoversOf(scene);
  const failures = teardownFailures(leftovers);
  const { translations, iotlbHits, iotlbMisses, faults } = scene.kernel.unit.counters;
  const { bytesRead, bytesWritten } = scene.engine.counters;
  const { mappings } = scene.calls;
  return {
    stage: 7,
    title: `guest address space, ${settings.door}`,
    mode: 'strict',
    seed: settings.seed,
    ios: ram.done.length + bar.done.length,
    requests: 0,
    classes: noClasses(),
    requestWork: NO_WORK,
    descriptorPoolPages: 0,
    setup: total,
    total,
    bytesRead,
    bytesWritten,
    bytesVerified: data.verified,
    bytesWrong: data.wrong,
    bytesContested: 0,
    dmaRangesOut: mappings.rangesOut,
    flushQueueDepth: 0,
    tracking: {
      byStructure: { ...mappings.takenBy },
      totalBytes: mappings.memory.taken,
      peakBytes: mappings.memory.peak,
    },
    fabric: fabricRoutes(scene.computer.fabric),
    iommu: { translations, iotlbHits, iotlbMisses, faults },
    controller: { commands: 0, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: watch.lastAccess,
    clockSteps: scene.clock.step,
    peer: null,
    exported: null,
    leftovers,
    failures,
    failureCount: failures.length,
  };
}

function leftoversOf(scene: GuestSpaceScene): Leftovers {
  const { kernel, liveTableEntries, computer } = scene;
  const { files, buffers } = kernel.dmaBufs;
  const { mappings } = scene.calls;
  return {
    iovaRanges: mappings.live,
    pageTableEntries: liveTableEntries,
    iotlbEntries: kernel.unit.iotlb.live,
    coherentFrames: 0,
    descriptorBlocks: 0,
    trackingBytes: mappings.memory.now,
    p2pmemBlocks: 0,
    dmaBufs: files.count + buffers.size + (kernel.vdev.registration.refs - 1),
    memoryRegions: computer.nic.keys.size,
  };
}
