// The engine on mappings made by hand: what each stage and mode costs, counted on paper.
import type { TracedMapping } from '@sgfree/trace';
import { describe, expect, it } from 'vitest';
import { end, NS_PER_MS as MS, NIC, replay, runOf, traced } from '../../test/traced-mappings.ts';
import type { ReplayEngine } from './replay-engine.ts';

/** One mapping, made and undone. */
const once = (mapping: TracedMapping) => (engine: ReplayEngine) => {
  engine.mapped(mapping);
  engine.unmapped(mapping, end());
};

const PIECES = [
  [0x10000000, 4096],
  [0x20000000, 8192],
  [0x30000000, 4096],
] as const;

describe('one mapping', () => {
  it('of one range: one allocation, one map, one unmap, one flush in strict mode', () => {
    const report = replay({}, once(traced('phys', [[0x12345678, 3000]])));
    for (const stage of [0, 1] as const) {
      const { total } = runOf(report, stage, 'strict');
      expect(total).toMatchObject({
        mapped: 1,
        unmapped: 1,
        dmaRangesOut: 1,
        iovaAllocations: 1,
        mapCalls: 1,
        unmapCalls: 1,
        entriesWritten: 2,
        entriesCleared: 2,
        invalidations: { page: 1, domain: 0, global: 0, waits: 1 },
        peakMappings: 1,
        peakBytes: 8192,
        tracking: { takenBytes: 16, peakBytes: 16 },
        flushQueue: null,
      });
    }
  });

  it('of one range in lazy mode: queued, flushed whole by the timer after 10 ms', () => {
    const mapping = traced('phys', [[0x12345000, 4096]], 5 * MS);
    const report = replay({ modes: ['lazy'] }, (engine) => {
      engine.mapped(mapping);
      engine.unmapped(mapping, end(7 * MS));
    });
    expect(runOf(report, 1, 'lazy').total).toMatchObject({
      invalidations: { page: 0, domain: 1, waits: 1 },
      flushQueue: { queued: 1, ringFullFlushes: 0, timerFlushes: 1, deepestRing: 1 },
    });
    expect(runOf(report, 1, 'lazy').total.flushQueue?.exposureMs).toEqual({ longest: 10, mean: 10 });
  });

  it('of one range in passthrough: nothing but the call', () => {
    const report = replay({ modes: ['passthrough'] }, once(traced('phys', [[0x12345000, 4096]])));
    expect(runOf(report, 0, 'passthrough').total).toMatchObject({
      mapped: 1,
      dmaRangesOut: 1,
      iovaAllocations: 0,
      mapCalls: 0,
      entriesWritten: 0,
      invalidations: { page: 0, domain: 0, global: 0, waits: 0 },
      tracking: { takenBytes: 0, peakBytes: 0 },
    });
  });

  it('of three pieces: a scatterlist at stage 0, two steps at stage 1, piece by piece without an IOMMU', () => {
    const report = replay({}, once(traced('two-step', PIECES)));
    const mapped = { iovaAllocations: 1, mapCalls: 3, unmapCalls: 1, entriesWritten: 4, dmaRangesOut: 1 };
    expect(runOf(report, 0, 'strict').total).toMatchObject({ ...mapped, tracking: { takenBytes: 96 } });
    expect(runOf(report, 1, 'strict').total).toMatchObject({ ...mapped, tracking: { takenBytes: 16 } });
    expect(runOf(report, 0, 'strict').structPagesTouched).toBeGreaterThan(0);
    expect(runOf(report, 1, 'strict').structPagesTouched).toBe(0);
    expect(runOf(report, 0, 'passthrough').total).toMatchObject({ dmaRangesOut: 3 });
    expect(runOf(report, 1, 'passthrough').total).toMatchObject({ dmaRangesOut: 3, mapped: 1 });
  });

  it('of three pieces in lazy mode: the scatterlist waits for a flush, the two-step API never does', () => {
    const report = replay({ modes: ['lazy'] }, once(traced('two-step', PIECES, MS)));
    expect(runOf(report, 0, 'lazy').total).toMatchObject({
      flushQueue: { queued: 1 },
      invalidations: { page: 0, domain: 1 },
    });
    expect(runOf(report, 1, 'lazy').total).toMatchObject({
      flushQueue: { queued: 0, exposureMs: null },
      invalidations: { page: 1, domain: 0 },
    });
  });

  it('of a list: a scatterlist at both stages', () => {
    const report = replay({ modes: ['strict'] }, once(traced('sg', PIECES)));
    for (const stage of [0, 1] as const) {
      expect(runOf(report, stage, 'strict').total).toMatchObject({
        mapCalls: 3,
        tracking: { takenBytes: 96 },
      });
    }
  });

  it('of coherent memory: whole pages, nothing to remember', () => {
    const report = replay({}, once(traced('coherent', [[0x5000000, 1000]])));
    expect(runOf(report, 1, 'strict').total).toMatchObject({
      iovaAllocations: 1,
      entriesWritten: 1,
      invalidations: { page: 1 },
      tracking: { takenBytes: 0 },
    });
    expect(runOf(report, 1, 'lazy').total.flushQueue).toMatchObject({ queued: 1 });
  });

  it('of coherent memory whose place is not known: somewhere', () => {
    const report = replay({}, once(traced('coherent', [[-1, 8192]])));
    expect(runOf(report, 0, 'strict').total).toMatchObject({ mapped: 1, entriesWritten: 2 });
  });

  it('longer than an entry of a scatterlist can be', () => {
    const report = replay({ stages: [0], modes: ['strict'] }, once(traced('sg', [[2 ** 33, 2 ** 33]])));
    expect(runOf(report, 0, 'strict').total.tracking.byStructure).toMatchObject({ scatterlist: 128 });
  });
});

describe('what cannot be replayed', () => {
  it.each([
    ['reserved-region', traced('iommu-api', PIECES, -1, { rules: ['iommu-api-by-identity'] })],
    ['no-memory-known', traced('sg', [])],
    ['no-memory-known', traced('phys', [[-1, 4096]])],
    ['zero-bytes', traced('phys', [[4096, 0]])],
    ['zero-bytes', traced('phys', [[4096, Number.NaN]])],
    ['bad-direction', traced('phys', [[4096, 1]], -1, { direction: 'NONE' })],
    ['address-beyond-48-bits', traced('phys', [[2 ** 52 - 4096, 8192]])],
    [
      'address-beyond-48-bits',
      traced('sg', [
        [4096, 4096],
        [2 ** 48, 1],
      ]),
    ],
    ['too-large', traced('phys', [[4096, 2 ** 37]])],
    ['not-one-range', traced('phys', PIECES)],
    ['physical-zero', traced('phys', [[0, 4096]])],
  ])('is counted: %s', (reason, mapping) => {
    const report = replay({}, once(mapping));
    expect(report.traced.refused).toEqual({ [reason]: 1 });
    for (const { total } of report.runs) expect(total).toMatchObject({ mapped: 0, failed: {} });
  });

  it('is counted in the run that cannot: pieces that do not meet on page boundaries', () => {
    const mapping = traced('two-step', [
      [0x10000000, 1000],
      [0x20000200, 1000],
    ]);
    const report = replay({ modes: ['strict'] }, once(mapping));
    expect(runOf(report, 0, 'strict').total).toMatchObject({ mapped: 1, failed: {} });
    expect(runOf(report, 1, 'strict').total).toMatchObject({ mapped: 0, failed: { 'iova-link-failed': 1 } });
  });
});

describe('leaks', () => {
  it('are reported, are not counted as unmapped, and do not stay in the model', () => {
    const mapping = traced('phys', [[0x12345000, 4096]]);
    const report = replay({}, (engine) => {
      engine.mapped(mapping);
      engine.finding({
        code: 'live-at-end',
        confidence: 'certain',
        line: 7,
        at: -1,
        cpu: 0,
        task: '',
        device: NIC,
        dmaAddr: mapping.dmaAddr,
        bytes: 4096,
        mapping,
        text: 'never unmapped',
      });
    });
    expect(report.traced.liveAtEnd).toMatchObject({
      count: 1,
      bytes: 4096,
      first: [{ line: mapping.mappedLine }],
    });
    expect(report.traced.findings['live-at-end']).toEqual({
      count: 1,
      certain: 1,
      firstLine: 7,
      firstText: 'never unmapped',
    });
    for (const { total } of report.runs) expect(total).toMatchObject({ mapped: 1, unmapped: 0 });
  });
});

describe('several devices', () => {
  const other = { device: '0000:02:00.0' };

  it('cost each its own, and together the sum', () => {
    const mine = traced('phys', [[0x1000000, 4096]], MS);
    const theirs = traced(
      'sg',
      [
        [0x2000000, 4096],
        [0x3000000, 8192],
      ],
      MS,
      other,
    );
    const report = replay({}, (engine) => {
      for (const mapping of [mine, theirs]) engine.mapped(mapping);
      for (const mapping of [mine, theirs]) engine.unmapped(mapping, end(2 * MS));
    });
    expect(report.devices.map(({ device, mappings }) => [device, mappings.phys, mappings.sg])).toEqual([
      [NIC, 1, 0],
      ['0000:02:00.0', 0, 1],
    ]);
    const { total, devices } = runOf(report, 1, 'strict');
    expect(devices.map(({ entriesWritten, invalidations }) => [entriesWritten, invalidations.page])).toEqual([
      [1, 1],
      [3, 1],
    ]);
    expect(total).toMatchObject({ entriesWritten: 4, peakMappings: 2, peakBytes: 4 * 4096 });
    expect(total.invalidations).toMatchObject({ page: 2, waits: 2 });
    // Both timers fire at the same time; each has one flush of its own domain.
    const lazy = runOf(report, 0, 'lazy');
    expect(lazy.devices.map(({ invalidations }) => invalidations)).toEqual([
      { page: 0, domain: 1, global: 0, waits: 1 },
      { page: 0, domain: 1, global: 0, waits: 1 },
    ]);
    expect(lazy.total.flushQueue).toMatchObject({ queued: 2, timerFlushes: 2 });
  });

  it('beyond the number that is followed are counted together', () => {
    const report = replay({ stages: [1], modes: ['strict'] }, (engine) => {
      for (let index = 0; index < 300; index += 1) {
        const mapping = traced('phys', [[0x1000000, 4096]], -1, { device: `dev${index}` });
        engine.mapped(mapping);
        engine.unmapped(mapping, end());
      }
    });
    expect(report.devices).toHaveLength(256);
    expect(report.traced.refused).toEqual({ 'too-many-devices': 44 });
    expect(report.traced.mappings.phys).toBe(300);
    expect(runOf(report, 1, 'strict').total.mapped).toBe(256);
  });

  it('but one are left out when it was asked for', () => {
    const report = replay({ device: NIC }, (engine) => {
      engine.mapped(traced('phys', [[0x1000000, 4096]], -1, other));
      engine.bounced('0000:02:00.0', 100);
      engine.mapped(traced('phys', [[0x1000000, 4096]]));
      engine.bounced(NIC, 200);
    });
    expect(report.devices.map(({ device }) => device)).toEqual([NIC]);
    expect(report.otherDevices).toEqual(['0000:02:00.0']);
    expect(report.traced.bounced).toEqual({ count: 1, bytes: 200 });
  });
});

describe('masks', () => {
  it('grow when the device is seen beyond 4 GiB', () => {
    const low = traced('phys', [[0x1000000, 4096]]);
    const highMemory = traced('phys', [[2 ** 33, 4096]], -1, { device: 'high memory' });
    const highAddress = traced('phys', [[0x1000000, 4096]], -1, { device: 'high address', dmaAddr: 2 ** 40 });
    const highRing = traced('coherent', [[0x1000000, 4096]], -1, { device: 'high ring', dmaAddr: 2 ** 40 });
    const report = replay({}, (engine) => {
      for (const mapping of [low, highMemory, highAddress, highRing]) engine.mapped(mapping);
    });
    expect(report.devices.map((device) => [device.streamingMaskBits, device.coherentMaskBits])).toEqual([
      [32, 32],
      [64, 32],
      [64, 32],
      [32, 64],
    ]);
    for (const { total } of report.runs) expect(total.failed).toEqual({});
  });
});

describe('the flush queue', () => {
  const lazy = { stages: [1], modes: ['lazy'] } as const;

  /** Maps and unmaps one page so many times, each `step` nanoseconds after the one before, on CPUs in turn. */
  const pages =
    (times: number, step: number, cpus = 1) =>
    (engine: ReplayEngine) => {
      for (let done = 0; done < times; done += 1) {
        const mapping = traced('phys', [[0x1000000, 4096]], done * step, { mappedCpu: done % cpus });
        engine.mapped(mapping);
        engine.unmapped(mapping, end(done * step, done % cpus));
      }
    };

  it('is flushed when a ring is full: the 256th unmap of a CPU', () => {
    const { total } = runOf(replay(lazy, pages(256, 1000)), 1, 'lazy');
    expect(total.flushQueue).toMatchObject({
      queued: 256,
      ringFullFlushes: 1,
      timerFlushes: 1,
      deepestRing: 255,
    });
    expect(total.invalidations).toEqual({ page: 0, domain: 2, global: 0, waits: 2 });
    // The last one waits until the timer that the first one armed fires: 10 ms after the first.
    expect(total.flushQueue?.exposureMs?.longest).toBeCloseTo(10 - 0.255, 2);
  });

  it('has a ring for each CPU', () => {
    const { total } = runOf(replay(lazy, pages(256, 1000, 2)), 1, 'lazy');
    expect(total.flushQueue).toMatchObject({ ringFullFlushes: 0, timerFlushes: 1, deepestRing: 128 });
  });

  it('never fires its timer without times', () => {
    const report = replay(lazy, (engine) => {
      const mapping = traced('phys', [[0x1000000, 4096]]);
      engine.mapped(mapping);
      engine.unmapped(mapping, end());
    });
    expect(report.nanoseconds).toBe(-1);
    expect(runOf(report, 1, 'lazy').total.flushQueue).toMatchObject({
      queued: 1,
      timerFlushes: 0,
      exposureMs: null,
    });
  });

  it('survives times that run backwards and times that nobody believes', () => {
    const times = [5 * MS, 1 * MS, 2 ** 51, 6 * MS, 5.5 * MS];
    const report = replay(lazy, (engine) => {
      for (const at of times) {
        const mapping = traced('phys', [[0x1000000, 4096]], at);
        engine.mapped(mapping);
        engine.unmapped(mapping, end(at));
      }
    });
    expect(runOf(report, 1, 'lazy').total.flushQueue).toMatchObject({ queued: 5 });
  });
});
