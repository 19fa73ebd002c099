// Folds the counters of a finished run into its StageReport.
// Source followed: the project's design, "what every stage is judged by".
// Simplified: nothing was revoked, and strict mode has no flush queue.

import { newVtdUnitCounters } from '@sgfree/hw-model';
import { fabricRoutes } from './fabric-routes.ts';
import type { RunTally } from './io-run.ts';
import type { NvmeMachine } from './nvme-machine.ts';
import type { PeerReport } from './peer-report.ts';
import type { StageIdentity } from './scenario.ts';
import {
  type ClassReport,
  type Leftovers,
  leftoverCount,
  REPORT_CLASSES,
  type ReportClass,
  type StageFailure,
  type StageReport,
} from './stage-report.ts';
import type { StorageStack } from './storage-stack.ts';
import { addWork, type WorkCounts, workSince } from './work-counts.ts';
import type { WorkLedger } from './work-ledger.ts';

/**
 * A finished run.
 * @internal
 */
export interface FinishedRun {
  readonly identity: StageIdentity;
  readonly input: { readonly seed: number; readonly ios: readonly unknown[] };
  readonly machine: NvmeMachine;
  readonly stack: StorageStack;
  readonly ledger: WorkLedger;
  readonly tally: RunTally;
  /** Counters before the driver started. */
  readonly started: WorkCounts;
  /** Where the data lies in a peer's BAR: what that was like, and the blocks of its pool that are still out. */
  readonly peer?: PeerReport;
  readonly p2pmemBlocks?: number;
}

/** @internal */
export function buildReport(run: FinishedRun): StageReport {
  const { identity, input, machine, stack, ledger, tally } = run;
  const classes = Object.fromEntries(
    REPORT_CLASSES.map((kind) => [kind, ledger.classReport(kind)]),
  ) as Record<ReportClass, ClassReport>;
  const total = workSince(run.started, machine.sampleWork());
  const inClasses = REPORT_CLASSES.map((kind): WorkCounts => classes[kind]).reduce(addWork);
  const leftovers = leftoversOf(run);
  const unit = machine.unit?.counters ?? newVtdUnitCounters();
  const { counters: controller } = machine.controller;
  return {
    ...identity,
    mode: machine.unit === null ? 'direct' : 'strict',
    seed: input.seed,
    ios: input.ios.length,
    requests: tally.requests,
    classes,
    requestWork: inClasses,
    descriptorPoolPages: ledger.poolPages,
    setup: workSince(inClasses, total),
    total,
    bytesRead: tally.bytesRead,
    bytesWritten: tally.bytesWritten,
    bytesVerified: tally.bytesVerified,
    bytesWrong: tally.bytesWrong,
    bytesContested: tally.bytesContested,
    dmaRangesOut: REPORT_CLASSES.reduce((sum, kind) => sum + classes[kind].dmaRangesOut, 0),
    flushQueueDepth: 0,
    tracking: {
      byStructure: { ...stack.tracking.taken },
      totalBytes: stack.tracking.takenBytes,
      peakBytes: stack.tracking.peak,
    },
    fabric: fabricRoutes(machine.fabric),
    iommu: {
      translations: unit.translations,
      iotlbHits: unit.iotlbHits,
      iotlbMisses: unit.iotlbMisses,
      faults: unit.faults,
    },
    controller: {
      commands: controller.commands,
      prpEntriesFetched: controller.prpEntriesFetched,
      sglDescriptorsFetched: controller.sglDescriptorsFetched,
      errors: controller.errors,
    },
    revokeToLastAccessSteps: null,
    clockSteps: machine.clock.step,
    peer: run.peer ?? null,
    exported: null,
    leftovers,
    failures: [...tally.failures, ...teardownFailures(leftovers)],
    failureCount: tally.failureCount + (leftoverCount(leftovers) > 0 ? 1 : 0),
  };
}

function leftoversOf({ machine, stack, p2pmemBlocks }: FinishedRun): Leftovers {
  return {
    iovaRanges: machine.liveIovaRanges,
    pageTableEntries: machine.liveTableEntries,
    iotlbEntries: machine.unit?.iotlb.live ?? 0,
    coherentFrames: machine.pages.liveFrames,
    descriptorBlocks: stack.liveDescriptorBlocks,
    trackingBytes: stack.tracking.held,
    p2pmemBlocks: p2pmemBlocks ?? 0,
    dmaBufs: 0,
    memoryRegions: 0,
  };
}

/** What stayed, as a failure; empty when nothing did. @internal */
export function teardownFailures(leftovers: Leftovers): StageFailure[] {
  if (leftoverCount(leftovers) === 0) return [];
  const left = Object.entries(leftovers).filter(([, count]) => count !== 0);
  const detail = `left behind: ${left.map(([name, count]) => `${count} ${name}`).join(', ')}`;
  return [{ kind: 'teardown', io: -1, detail }];
}
