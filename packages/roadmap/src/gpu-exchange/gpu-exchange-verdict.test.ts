// The verdict on an exchange: each planted fault is seen by the check that is there for it, and so is each report that is edited.
import { describe, expect, it } from 'vitest';
import { GPU_EXCHANGE_PLANTS, type GpuExchangeInput, type GpuExchangePlant } from './gpu-exchange-input.ts';
import type { GpuExchangeReport } from './gpu-exchange-report.ts';
import { type GpuExchangeFault, gpuExchangeFaults, gpuExchangeVerdict } from './gpu-exchange-verdict.ts';
import { runGpuExchange } from './run-gpu-exchange.ts';

const BASE: GpuExchangeInput = { way: 'range-list', place: 'switch', iommu: true, seed: 3 };

const SEEN: Readonly<
  Record<GpuExchangePlant, readonly [Partial<GpuExchangeInput>, readonly GpuExchangeFault[]]>
> = {
  deaf: [{}, ['data', 'stray', 'stage']],
  unfenced: [{}, ['late']],
  hasty: [{}, ['data', 'early', 'stage']],
  careless: [{}, ['stray']],
  'no-wait': [{}, ['late']],
  still: [{}, ['moves', 'idle']],
  'other-way': [{}, ['route', 'scatterlist', 'abuse']],
  'skipped-invalidation': [{ place: 'host-bridge' }, ['stage']],
  'wrong-byte': [{}, ['kept']],
  'left-attached': [{}, ['stage', 'leftover']],
};

describe.each(GPU_EXCHANGE_PLANTS)('the fault %s', (plant) => {
  const [input, codes] = SEEN[plant];

  it('is seen by its check', () => {
    const report = runGpuExchange({ ...BASE, ...input, plant });
    expect(gpuExchangeFaults(report), JSON.stringify(report)).toEqual(expect.arrayContaining([...codes]));
    expect(gpuExchangeVerdict(report)).toMatchObject({ ok: false });
  });

  it('is what made the run fail', () => {
    expect(gpuExchangeFaults(runGpuExchange({ ...BASE, ...input }))).toEqual([]);
  });
});

describe('an adapter that is not stopped', () => {
  const careless = (change: Partial<GpuExchangeInput>): GpuExchangeReport =>
    runGpuExchange({ ...BASE, ...change, plant: 'careless' });

  it('is stopped by the IOMMU where that translates for it: nothing reaches memory of others', () => {
    const { accesses, stage } = careless({ place: 'host-bridge' });
    expect([accesses.stray, accesses.late]).toEqual([0, 0]);
    expect(stage.iommu.faults).toBeGreaterThan(0);
    expect(stage.failures[0]?.detail).toMatch(/rdma-(read|write) ended with REM_OP_ERR$/);
  });

  it('is stopped by nothing inside the switch, and where nothing translates', () => {
    for (const change of [{}, { iommu: false }, { place: 'host-bridge', iommu: false }] as const) {
      const { accesses, stage } = careless(change);
      expect(accesses.stray).toBeGreaterThan(0);
      expect([stage.iommu.faults, stage.bytesWrong > 0]).toEqual([0, true]);
    }
  });
});

describe('an edited report', () => {
  const report = runGpuExchange(BASE);
  const edited = (change: Partial<GpuExchangeReport>): GpuExchangeFault[] =>
    gpuExchangeFaults({ ...report, ...change });
  const { fabric } = report.stage;
  const none = { requests: 0, bytes: 0 };
  const routed = (change: Partial<typeof fabric>): GpuExchangeFault[] =>
    edited({ stage: { ...report.stage, fabric: { ...fabric, ...change } } });
  const [first] = report.moves;

  it('fails the check that is about what changed', () => {
    expect(edited({})).toEqual([]);
    expect(edited({ violations: ['some-rule'] })).toEqual(['violation']);
    expect(edited({ kept: { verified: 0, wrong: 0 } })).toEqual(['kept']);
    expect(edited({ abuses: { 'null-page-scatterlist': 1 } })).toEqual(['abuse']);
    expect(edited({ crossed: { ...report.crossed, scatterlistEntries: 1 } })).toEqual(['scatterlist']);
    expect(edited({ crossed: { ...report.crossed, entries: 0 } })).toEqual(['scatterlist']);
    expect(edited({ vramOnly: { attach: 22, map: null, register: 22 } })).toEqual(['refusal']);
    expect(edited({ vramOnly: { attach: 0, map: 22, register: 0 } })).toEqual(['refusal']);
    expect(edited({ leftovers: { ...report.leftovers, runtimeRefs: 1 } })).toEqual(['leftover']);
  });

  it('fails when an object did not move to its end in order', () => {
    if (first === undefined) throw new Error('nothing moved');
    const changed = (change: Partial<typeof first>) => edited({ moves: [{ ...first, ...change }] });
    expect(changed({})).toEqual([]);
    expect(changed({ ended: null })).toEqual(['moves']);
    expect(changed({ copyBegan: null })).toEqual(['moves']);
    expect(changed({ copyBegan: 1, lastAccess: 2, ended: 3 })).toEqual(['moves']);
    expect(changed({ copyBegan: 4, lastAccess: 2, ended: 3 })).toEqual(['moves']);
    expect(edited({ moves: [] })).toEqual(['moves']);
    expect(edited({ driver: { ...report.driver, acted: 1 } })).toEqual(['moves']);
    expect(edited({ driver: { ...report.driver, failed: 1 } })).toEqual(['moves']);
  });

  it('fails when data took another way', () => {
    expect(routed({ hostBridge: { requests: 1, bytes: 1 } })).toEqual(['route']);
    expect(routed({ switchLocal: none })).toEqual(['route']);
    expect(routed({ memory: none })).toEqual(['route']);
    expect(routed({ refused: { requests: 1, bytes: 1 } })).toEqual(['route', 'stage']);
    expect(edited({ mapTypes: { adapter: 'thru-host-bridge', disk: 'bus-addr' } })).toEqual(['route']);
    const out = runGpuExchange({ ...BASE, place: 'refused' });
    expect(gpuExchangeFaults(out)).toEqual([]);
    const stage = { ...out.stage, fabric: { ...out.stage.fabric, switchLocal: { requests: 1, bytes: 1 } } };
    expect(gpuExchangeFaults({ ...out, stage })).toEqual(['route']);
  });

  it('of tables fails when none of them crossed, or no abuse was seen', () => {
    const tables = runGpuExchange({ ...BASE, way: 'xe' });
    expect(gpuExchangeFaults(tables)).toEqual([]);
    expect(gpuExchangeFaults({ ...tables, abuses: {} })).toEqual(['abuse']);
    const crossed = { ...tables.crossed, scatterlistEntries: 0 };
    expect(gpuExchangeFaults({ ...tables, crossed })).toEqual(['scatterlist']);
  });
});
