// Proof that the checks bite: each planted fault is seen, for the reason it was planted for.
import { physAddr } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import {
  type IoRecord,
  PLANTED_FAULTS,
  type PlantedFault,
  type RunnableStage,
  runnableStages,
  type StageReport,
  verdictOf,
} from '../src/index.ts';

const PAGE = 4096;

/** Eight pages, every second frame, from page `first` on. */
const buffer = (first: number): IoRecord['iovecs'] => [
  Array.from({ length: 8 }, (_, i) => ({ phys: physAddr(0x10000000 + (first + 2 * i) * PAGE), bytes: PAGE })),
];
const io = (operation: 'read' | 'write', position: number, first: number): IoRecord => ({
  operation,
  position,
  iovecs: buffer(first),
});

const writes = [io('write', 0, 0), io('write', 1 << 20, 100), io('write', 2 << 20, 200)];
const reads = [io('read', 0, 0), io('read', 1 << 20, 100), io('read', 2 << 20, 200)];

function run(stage: RunnableStage, ios: readonly IoRecord[], plant?: PlantedFault): StageReport {
  const planted = plant === undefined ? {} : { plant };
  return stage.run({ ios, backing: 'base-pages', seed: 3, memoryBytes: 2 ** 30, ...planted });
}

const details = (report: StageReport): string => report.failures.map(({ detail }) => detail).join('\n');

describe.each(runnableStages)('stage $stage', (stage) => {
  it.each([
    ['writes', writes],
    ['reads', reads],
  ])('%s are right without a fault', (_what, ios) => {
    const report = run(stage, ios);
    expect(report.failures).toEqual([]);
    expect(verdictOf(report).ok).toBe(true);
    expect(report.classes['two-step'].requests).toBe(3);
  });

  it.each(PLANTED_FAULTS)('%s makes the verdict fail', (fault) => {
    for (const ios of [writes, reads]) {
      const report = run(stage, ios, fault);
      expect(verdictOf(report).ok).toBe(false);
      expect(report.failures.map(({ kind }) => kind)).not.toContain('plant');
    }
  });

  it('a cleared entry blocks the device, which leaves a fault record and fails the command', () => {
    const report = run(stage, writes, 'cleared-entry');
    expect(report.iommu.faults).toBe(1);
    expect(report.controller.errors).toBe(1);
    expect(report.failures.some(({ kind }) => kind === 'request')).toBe(true);
  });

  it('a skipped invalidation lets the device read the old page: what the write before had in memory', () => {
    const report = run(stage, writes, 'skipped-invalidation');
    expect(report.iommu.faults).toBe(0);
    expect(report.controller.errors).toBe(0);
    const [failure] = report.failures;
    expect(failure).toMatchObject({ kind: 'data', io: 1 });
    expect(details(report)).toContain('disk');
    // The stale range is the whole request: every page came from the wrong place.
    expect(report.bytesWrong).toBeGreaterThan(7 * PAGE);
  });

  it('swapped links bring whole pages to the wrong place, without any fault of the IOMMU', () => {
    const report = run(stage, reads, 'swapped-links');
    expect(report.iommu.faults).toBe(0);
    expect(report.failures).toMatchObject([{ kind: 'data', io: 0 }]);
    expect(report.bytesWrong).toBeGreaterThan(PAGE);
    expect(report.bytesWrong).toBeLessThanOrEqual(2 * PAGE);
  });

  it('a flipped byte is one wrong byte', () => {
    const report = run(stage, reads, 'flipped-byte');
    expect(report).toMatchObject({ bytesWrong: 1, failureCount: 1 });
  });

  it('a fault that fits no request is a failure of its own', () => {
    const single: IoRecord[] = [
      { operation: 'read', position: 0, iovecs: [[{ phys: physAddr(0x10000000), bytes: PAGE }]] },
    ];
    const report = run(stage, single, 'swapped-links');
    expect(report.failures).toMatchObject([{ kind: 'plant' }]);
    expect(verdictOf(report).ok).toBe(false);
  });
});
