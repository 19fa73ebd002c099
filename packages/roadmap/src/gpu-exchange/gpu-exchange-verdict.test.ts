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

  it('of tables fails when none of them crossed', () => {
    const tables = runGpuExchange({ ...BASE, way: 'xe' });
    expect(gpuExchangeFaults(tables)).toEqual([]);
    const crossed = { ...tables.crossed, scatterlistEntries: 0 };
    expect(gpuExchangeFaults({ ...tables, crossed })).toEqual(['scatterlist']);
  });
});

/** What each of today's exporters does for peers below its switch, by its documentation. */
const COMMITTED = {
  amdgpu: [
    'null-page-scatterlist',
    'page-pointer-as-type-tag',
    'unmap-by-current-placement',
    'attribute-mismatch',
    'ignoring-p2p-bus-addressing',
  ],
  xe: [
    'null-page-scatterlist',
    'page-pointer-as-type-tag',
    'attribute-mismatch',
    'ignoring-p2p-bus-addressing',
  ],
} as const;

/** Those that tables of system memory show, too. */
const WITHOUT_VRAM: readonly string[] = ['page-pointer-as-type-tag', 'attribute-mismatch'];

describe.each(['amdgpu', 'xe'] as const)('the abuses of %s', (way) => {
  const report = runGpuExchange({ ...BASE, way });
  const faultsOf = (abuses: Readonly<Record<string, number>>): GpuExchangeFault[] =>
    gpuExchangeFaults({ ...report, abuses });

  it('are all counted', () => {
    expect(Object.keys(report.abuses).sort()).toEqual([...COMMITTED[way]].sort());
    expect(faultsOf(report.abuses)).toEqual([]);
    expect(faultsOf({})).toEqual(['abuse']);
  });

  it.each(COMMITTED[way])('fail the run when %s was not seen', (name) => {
    const { [name]: count, ...others } = report.abuses;
    expect(count).toBeGreaterThan(0);
    expect(faultsOf(others)).toEqual(['abuse']);
    expect(faultsOf({ ...report.abuses, [name]: 0 })).toEqual(['abuse']);
  });

  it('fail the run when another one was seen', () => {
    expect(faultsOf({ ...report.abuses, 'something-new': 1 })).toEqual(['abuse']);
  });

  it.each([
    ['host-bridge', ['ignoring-p2p-bus-addressing']],
    ['refused', COMMITTED[way].filter((name) => !WITHOUT_VRAM.includes(name))],
    ['mixed', []],
  ] as const)('that a peer at place %s cannot bring out are not asked for: %j', (place, missing) => {
    const other = runGpuExchange({ ...BASE, way, place });
    expect(gpuExchangeFaults(other)).toEqual([]);
    expect(COMMITTED[way].filter((name) => !(name in other.abuses))).toEqual(missing);
    for (const name of missing) {
      expect(gpuExchangeFaults({ ...other, abuses: { ...other.abuses, [name]: 1 } })).toEqual(['abuse']);
    }
  });
});
