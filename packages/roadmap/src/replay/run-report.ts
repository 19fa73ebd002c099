// The end of a run: timers fire, the counts are taken, then everything is taken down and must be gone.
// Source followed: the project's rule that nothing is claimed that did not run, and that a teardown counts what stayed.
// Simplified: leaks of the trace are unmapped here without being counted as cost.

import { fqFlushTimeout } from '@sgfree/dma-core';
import { PAGE_SIZE } from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import { leafCount } from '../domain-work.ts';
import type { ReplayMapping } from './replay-mapping.ts';
import type {
  AddressSpaceReport,
  FlushQueueReport,
  ReplayRunReport,
  RunChecks,
  RunCost,
  RunDeviceReport,
} from './replay-report.ts';
import type { ReplayRun } from './replay-run.ts';
import type { RunBooks } from './run-books.ts';
import type { RunDevice } from './run-device.ts';

/** Time that lets every flush timer fire. */
const SETTLING_MS = 1024;

/** Ends `run`, in which `live` is still mapped, and reports it. */
export function runReport(run: ReplayRun, live: readonly ReplayMapping[]): ReplayRunReport {
  if (run.clock.hasTimes) run.clock.pass(SETTLING_MS);
  for (const { survey } of run.devices) survey?.look(-1);
  const devices = run.devices.map(deviceReport);
  const structPagesTouched = run.machine.platform.frames.touched;
  return {
    stage: run.stage,
    mode: run.mode,
    total: totalCost(run, devices),
    structPagesTouched,
    devices,
    checks: tearDown(run, live),
  };
}

function deviceReport(device: RunDevice): RunDeviceReport {
  const { cookie, domain, exposure } = device;
  const own = {
    iovaAllocations: cookie?.iovad.allocations ?? 0,
    iovaFromCaches: cookie?.iovad.cacheHits ?? 0,
    mapCalls: domain?.mapCalls ?? 0,
    unmapCalls: domain?.unmapCalls ?? 0,
    entriesWritten: domain?.table.entriesWritten ?? 0,
    entriesCleared: domain?.table.entriesCleared ?? 0,
    leavesBySize: domain === null ? {} : leavesBySize(domain),
    tablePagesPeak: device.tablePagesPeak,
    flushQueue: exposure === null ? null : queueReport(exposure),
  };
  const { user, dev } = device;
  return { device: dev.name, user, ...bookedCost(device.books), ...own, addressSpace: spaceReport(device) };
}

/** Leaves written, by their bytes: 512 times as many from level to level. */
function leavesBySize({ table }: PagingDomain): Record<string, number> {
  const sizes = table.entriesWrittenByLevel.map(
    (leaves, level) => [PAGE_SIZE * 512 ** level, leaves] as const,
  );
  return Object.fromEntries(sizes.filter(([, leaves]) => leaves > 0));
}

type QueueCounts = Pick<
  NonNullable<RunDevice['exposure']>,
  'queued' | 'ringFullFlushes' | 'timerFlushes' | 'deepestRing' | 'longestMs' | 'totalMs' | 'flushedRanges'
>;

function queueReport(counts: QueueCounts): FlushQueueReport {
  const { queued, ringFullFlushes, timerFlushes, deepestRing, longestMs, totalMs, flushedRanges } = counts;
  const exposureMs = flushedRanges === 0 ? null : { longest: longestMs, mean: totalMs / flushedRanges };
  return { queued, ringFullFlushes, timerFlushes, deepestRing, exposureMs };
}

function spaceReport({ cookie, survey }: RunDevice): AddressSpaceReport | null {
  if (cookie === null || survey === null) return null;
  const { allocations, cacheHits, cachedRanges } = cookie.iovad;
  return {
    allocations,
    fromCaches: cacheHits,
    fromTree: allocations - cacheHits,
    peakRanges: survey.peakRanges,
    fragmentation: survey.worst,
    cachedAtEnd: cachedRanges,
    depotMagazinesAtEnd: cookie.iovad.depotSizes().reduce((sum, size) => sum + size, 0),
    samples: survey.samples,
  };
}

/** The part of a cost that stands in the books of a device. */
function bookedCost({ mapped, unmapped, failed, rangesOut, invalidations, level, tracked }: RunBooks) {
  const { page, domain, global, waits } = invalidations;
  const takenBytes = Object.values(tracked).reduce((sum, bytes) => sum + bytes, 0);
  return {
    mapped,
    unmapped,
    failed: Object.fromEntries(failed),
    dmaRangesOut: rangesOut,
    invalidations: { page, domain, global, waits },
    peakMappings: level.peakMappings,
    peakBytes: level.peakBytes,
    tracking: { takenBytes, peakBytes: level.peakTrackingBytes, byStructure: tracked },
  };
}

/** Sums over the devices; peaks and the queue are the run's own. */
function totalCost(run: ReplayRun, devices: readonly RunDeviceReport[]): RunCost {
  const sum = (of: (device: RunDeviceReport) => number): number =>
    devices.reduce((total, device) => total + of(device), 0);
  const { level } = run;
  return {
    mapped: sum((device) => device.mapped),
    unmapped: sum((device) => device.unmapped),
    failed: sumByName(devices.map(({ failed }) => failed)),
    dmaRangesOut: sum((device) => device.dmaRangesOut),
    iovaAllocations: sum((device) => device.iovaAllocations),
    iovaFromCaches: sum((device) => device.iovaFromCaches),
    mapCalls: sum((device) => device.mapCalls),
    unmapCalls: sum((device) => device.unmapCalls),
    entriesWritten: sum((device) => device.entriesWritten),
    entriesCleared: sum((device) => device.entriesCleared),
    leavesBySize: sumByName(devices.map(({ leavesBySize: leaves }) => leaves)),
    tablePagesPeak: run.tablePagesPeak,
    invalidations: {
      page: sum(({ invalidations }) => invalidations.page),
      domain: sum(({ invalidations }) => invalidations.domain),
      global: sum(({ invalidations }) => invalidations.global),
      waits: sum(({ invalidations }) => invalidations.waits),
    },
    peakMappings: level.peakMappings,
    peakBytes: level.peakBytes,
    tracking: {
      takenBytes: sum(({ tracking }) => tracking.takenBytes),
      peakBytes: level.peakTrackingBytes,
      byStructure: sumByName(devices.map(({ tracking }) => tracking.byStructure)),
    },
    flushQueue: totalQueue(run),
  };
}

function sumByName(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of counts) {
    for (const [name, count] of Object.entries(one)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

function totalQueue(run: ReplayRun): FlushQueueReport | null {
  const watches = run.devices.flatMap(({ exposure }) => (exposure === null ? [] : [exposure]));
  if (run.mode !== 'lazy') return null;
  const sum = (of: (counts: QueueCounts) => number): number =>
    watches.reduce((total, counts) => total + of(counts), 0);
  const most = (of: (counts: QueueCounts) => number): number => Math.max(0, ...watches.map(of));
  return queueReport({
    queued: sum((counts) => counts.queued),
    ringFullFlushes: sum((counts) => counts.ringFullFlushes),
    timerFlushes: sum((counts) => counts.timerFlushes),
    deepestRing: most((counts) => counts.deepestRing),
    longestMs: most((counts) => counts.longestMs),
    totalMs: sum((counts) => counts.totalMs),
    flushedRanges: sum((counts) => counts.flushedRanges),
  });
}

/** Unmaps what still lives, flushes what waits, and counts what stays. */
function tearDown(run: ReplayRun, live: readonly ReplayMapping[]): RunChecks {
  for (const mapping of live) run.unmap(mapping, -1, mapping.cpu);
  let iovaRanges = 0;
  let pageTableEntries = 0;
  for (const { cookie, domain } of run.devices) {
    if (cookie !== null) {
      fqFlushTimeout(cookie, 0);
      iovaRanges += cookie.iovad.liveRanges;
    }
    if (domain !== null) pageTableEntries += leafCount(domain);
  }
  const { check, machine, level } = run;
  return {
    lookedAt: check.looked,
    lookedAtAfterUnmap: check.lookedAfterUnmap,
    answeredAfterUnmap: check.stillAnswered,
    wrongCount: check.wrongCount,
    wrong: check.wrong,
    violations: Object.fromEntries(machine.log.ofOtherCalls),
    violationsOfFailedCalls: Object.fromEntries(machine.log.ofFailedCalls),
    leftovers: {
      iovaRanges,
      pageTableEntries,
      trackingBytes: level.trackingBytes,
      mappings: level.mappings,
    },
  };
}
