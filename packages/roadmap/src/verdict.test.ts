// The verdict is a function of the reports: each figure that must not be is noticed by itself.
import { describe, expect, it } from 'vitest';
import type { ClassReport, StageReport } from './stage-report.ts';
import { compareVerdict, overallVerdict, verdictOf } from './verdict.ts';
import { NO_WORK } from './work-counts.ts';

const none: ClassReport = {
  ...NO_WORK,
  requests: 0,
  bytes: 0,
  segments: 0,
  dmaRangesOut: 0,
  trackingBytes: 0,
};
const work = {
  ...NO_WORK,
  mapCalls: 4,
  unmapCalls: 1,
  entriesWritten: 4,
  entriesCleared: 4,
  invalidationCommands: 1,
};

function report(stage: number, changes: Partial<StageReport> = {}): StageReport {
  const route = { requests: 0, bytes: 0 };
  return {
    stage,
    title: 'test',
    mode: 'strict',
    seed: 1,
    ios: 1,
    requests: 1,
    classes: {
      single: none,
      'two-step': { ...none, ...work, requests: 1, bytes: 16384 },
      'per-segment': none,
    },
    requestWork: work,
    descriptorPoolPages: 0,
    setup: NO_WORK,
    total: work,
    bytesRead: 16384,
    bytesWritten: 0,
    bytesVerified: 16384,
    bytesWrong: 0,
    bytesContested: 0,
    dmaRangesOut: 1,
    flushQueueDepth: 0,
    tracking: { byStructure: {}, totalBytes: 24, peakBytes: 24 },
    fabric: { memory: route, switchLocal: route, hostBridge: route, refused: route },
    iommu: { translations: 1, iotlbHits: 0, iotlbMisses: 1, faults: 0 },
    controller: { commands: 1, prpEntriesFetched: 0, sglDescriptorsFetched: 0, errors: 0 },
    revokeToLastAccessSteps: null,
    clockSteps: 1,
    leftovers: {
      iovaRanges: 0,
      pageTableEntries: 0,
      iotlbEntries: 0,
      coherentFrames: 0,
      descriptorBlocks: 0,
      trackingBytes: 0,
    },
    failures: [],
    failureCount: 0,
    ...changes,
  };
}

const good = report(1);
const leftovers = (name: keyof StageReport['leftovers']): Partial<StageReport> => ({
  leftovers: { ...good.leftovers, [name]: 1 },
});
const failure = (kind: StageReport['failures'][number]['kind']): Partial<StageReport> => ({
  failures: [{ kind, io: 0, detail: 'test' }],
  failureCount: 1,
});

describe('one run', () => {
  it('is right when nothing is wrong', () => {
    expect(verdictOf(good)).toEqual({
      ok: true,
      line: 'stage 1: 16384 bytes moved and right, nothing left behind',
    });
  });

  it.each<[string, Partial<StageReport>, string]>([
    ['a request failed', failure('request'), 'a request failed'],
    ['the probe failed', failure('probe'), 'did not come up'],
    ['a fault found no place', failure('plant'), 'found no place'],
    ['an unknown failure', { failureCount: 1 }, 'a check failed'],
    ['a wrong byte', { bytesWrong: 1 }, 'wrong bytes'],
    ['a byte not compared', { bytesVerified: 16383 }, 'not compared'],
    ['a blocked access', { iommu: { ...good.iommu, faults: 1 } }, 'blocked'],
    ['a refused request', { fabric: { ...good.fabric, refused: { requests: 1, bytes: 4 } } }, 'refused'],
    ['a controller error', { controller: { ...good.controller, errors: 1 } }, 'reported errors'],
    ['entries left in the table', { total: { ...work, entriesCleared: 3 } }, 'differ'],
    ['a live IOVA', leftovers('iovaRanges'), 'stayed'],
    ['a live entry', leftovers('pageTableEntries'), 'stayed'],
    ['a cached translation', leftovers('iotlbEntries'), 'stayed'],
    ['a coherent frame', leftovers('coherentFrames'), 'stayed'],
    ['a descriptor', leftovers('descriptorBlocks'), 'stayed'],
    ['tracking memory', leftovers('trackingBytes'), 'stayed'],
  ])('is wrong after %s', (_what, changes, words) => {
    const verdict = verdictOf(report(1, changes));
    expect(verdict.ok).toBe(false);
    expect(verdict.line).toContain(words);
  });
});

describe('two runs', () => {
  it('say what changed', () => {
    const before = report(0, { tracking: { byStructure: {}, totalBytes: 4112, peakBytes: 4112 } });
    expect(compareVerdict(before, good)).toEqual({
      ok: true,
      line: 'OK: every byte right at both stages; 1 two-step request: same IOMMU work; tracking memory 4112 -> 24 bytes',
    });
  });

  it('say where a stage costs more', () => {
    const dearer = { ...good.classes['two-step'], invalidationCommands: 4, unmapCalls: 4 };
    const after = report(1, { classes: { ...good.classes, 'two-step': dearer } });
    expect(compareVerdict(report(0), after).line).toContain('more IOMMU work (1 -> 4 invalidations)');
    expect(compareVerdict(after, report(0)).line).toContain('less IOMMU work (4 -> 1 invalidations)');
    const mixed = { ...dearer, iovaAllocations: -1 };
    const other = report(1, { classes: { ...good.classes, 'two-step': mixed } });
    expect(compareVerdict(report(0), other).line).toContain('different IOMMU work');
  });

  it('fail when one of them does, or when they ran different requests', () => {
    expect(compareVerdict(report(0, { bytesWrong: 1 }), good).ok).toBe(false);
    expect(compareVerdict(report(0), report(1, { bytesWrong: 1 })).ok).toBe(false);
    const other = { ...good.classes, single: { ...none, requests: 1 } };
    expect(compareVerdict(report(0), report(1, { classes: other })).ok).toBe(false);
  });
});

describe('several comparisons', () => {
  const yes = { ok: true, line: 'yes' };
  const no = { ok: false, line: 'no' };
  it.each([
    [[], false],
    [[yes], true],
    [[no], false],
    [[yes, yes], true],
    [[yes, no], false],
  ])('%j: %s', (verdicts, ok) => {
    expect(overallVerdict(verdicts).ok).toBe(ok);
  });
});
