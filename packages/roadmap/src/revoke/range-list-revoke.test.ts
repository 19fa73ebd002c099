// Revokes under traffic over the operation without scatterlist: every trigger against every kind of region, the same invariants as
// over tables, the same faults seen, and every schedule of a small cast.
import { fc, test } from '@fast-check/vitest';
import { explore, showViolation } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { type RevokeScenario, revokeScenarioRun } from '../../test/explore/revoke-scenario.ts';
import {
  REVOKE_IMPORTER_KINDS,
  REVOKE_TRIGGERS,
  type RevokeInput,
  type RevokePlant,
} from './revoke-input.ts';
import { takeBack } from './revoke-owner.ts';
import type { RevokeReport } from './revoke-report.ts';
import { type RevokeFault, revokeFaults, revokeVerdict } from './revoke-verdict.ts';
import { runRevoke } from './run-revoke.ts';

const CASTS = [
  ['dynamic'],
  ['pinned-revocable'],
  ['pinned', 'dynamic'],
  ['keeps-mapping'],
  ['dynamic', 'pinned-revocable'],
] as const;
const MACHINES = [
  { place: 'switch', iommu: false },
  { place: 'switch', iommu: true },
  { place: 'host-bridge', iommu: false },
  { place: 'host-bridge', iommu: true },
] as const;
const BASE = { op: 'range-list', seed: 1, hangSteps: 300 } as const;
/** State and one range. */
const LIST_BYTES = 56;

/** Each trigger meets each cast, and each of both meets each machine. */
const inputs = REVOKE_TRIGGERS.flatMap((trigger, t) =>
  CASTS.map((importers, c): RevokeInput => {
    const { place, iommu } = MACHINES[(t + c) % MACHINES.length] ?? MACHINES[0];
    return { ...BASE, trigger, importers, place, iommu };
  }),
);

describe('a revoke over range lists', () => {
  it.each(inputs)('by $trigger from $importers, $place, IOMMU $iommu', (input) => {
    const report = runRevoke(input);
    expect(revokeFaults(report), JSON.stringify(report)).toEqual([]);
    const { crossed, stage, importers } = report;
    expect(crossed).toMatchObject({ tables: 0, tableEntries: 0, deprecatedImports: 0 });
    expect(crossed.rangeLists).toBeGreaterThanOrEqual(
      importers.filter(({ refused }) => refused === 0).length,
    );
    expect(crossed.rangeListEntries).toBe(crossed.rangeLists);
    expect(crossed.rangeListBytes).toBe(crossed.rangeLists * LIST_BYTES);
    expect(stage.stage).toBe(5);
    expect(stage.tracking.byStructure).toEqual({ scatterlist: 0, 'range list': crossed.rangeListBytes });
    const refused = importers.filter(({ kind }) => kind === 'pinned').map((one) => one.refused);
    expect(refused.every((errno) => errno === Errno.EOPNOTSUPP)).toBe(true);
  });

  test.prop(
    {
      trigger: fc.constantFrom(...REVOKE_TRIGGERS),
      importers: fc.array(fc.constantFrom(...REVOKE_IMPORTER_KINDS), { minLength: 1, maxLength: 3 }),
      machine: fc.constantFrom(...MACHINES),
      seed: fc.nat(),
      jobBytes: fc.constantFrom(64, 1024, 1500, 5000),
    },
    { numRuns: 25 },
  )('holds whatever the order of events', ({ machine, ...input }) => {
    const report = runRevoke({ ...BASE, ...machine, ...input, jobs: 12 });
    const idle = report.importers.every(({ inFlight }) => inFlight === 0);
    expect(revokeFaults(report).filter((fault) => !idle || fault !== 'idle')).toEqual([]);
  });
});

const PLANTED: readonly (readonly [RevokePlant, Partial<RevokeInput>, readonly RevokeFault[]])[] = [
  ['importer-never-unmaps', {}, ['not-stopped', 'unnamed', 'return']],
  ['importer-unmaps-at-work', { trigger: 'close' }, ['not-stopped', 'late-access', 'late-bytes', 'status']],
  [
    'exporter-does-not-wait',
    { importers: ['keeps-mapping'] },
    ['not-waited', 'late-access', 'late-bytes', 'order'],
  ],
  ['late-write', { trigger: 'close' }, ['late-access', 'late-bytes', 'order']],
  ['pinned-comes-back', { importers: ['pinned-revocable'] }, ['return']],
  ['dynamic-stays-away', {}, ['return']],
  ['mapping-leaked', {}, ['leftover']],
];

describe('beside it, over the deprecated operation', () => {
  it.each(inputs)('a revoke by $trigger from $importers, $place, IOMMU $iommu', (input) => {
    const report = runRevoke({ ...input, op: 'deprecated' });
    expect(revokeFaults(report), JSON.stringify(report)).toEqual([]);
    const { crossed, importers, stage } = report;
    const taken = importers.filter(({ refused }) => refused === 0).length;
    expect([crossed.rangeLists, crossed.rangeListBytes, stage.stage]).toEqual([0, 0, 5]);
    expect(Object.keys(crossed.agreed)).toEqual(['DMA Mapped Scatter Gather Table']);
    expect(crossed.tables).toBeGreaterThanOrEqual(taken);
    expect(crossed.deprecatedImports).toBeGreaterThanOrEqual(taken);
    expect(crossed.deprecatedImports).toBe(crossed.agreed['DMA Mapped Scatter Gather Table']);
    const unheard = { ...report, crossed: { ...crossed, deprecatedImports: crossed.deprecatedImports - 1 } };
    expect(revokeFaults(unheard)).toEqual(['operation']);
  });
});

describe('over range lists too', () => {
  const input = {
    ...{ ...BASE, seed: 2, trigger: 'reset', importers: ['dynamic'], place: 'switch', iommu: false },
  } as const satisfies RevokeInput;

  it.each(PLANTED)('%s %o is seen', (plant, departure, wanted) => {
    const report = runRevoke({ ...input, ...departure, plant });
    expect(revokeFaults(report)).toEqual(expect.arrayContaining([...wanted]));
    expect(revokeVerdict(report).ok).toBe(false);
  });

  it('a table that crosses, a list that does not, and a warning are seen', () => {
    const good = runRevoke(input);
    const changed = (crossed: Partial<RevokeReport['crossed']>): RevokeFault[] =>
      revokeFaults({ ...good, crossed: { ...good.crossed, ...crossed } });
    expect(changed({})).toEqual([]);
    expect(changed({ tables: 1 })).toEqual(['operation']);
    expect(changed({ tableEntries: 1 })).toEqual(['operation']);
    expect(changed({ deprecatedImports: 1 })).toEqual(['operation']);
    expect(changed({ rangeLists: 0 })).toEqual(['operation']);
  });

  it.each([
    ['dynamic', []],
    ['pinned-revocable', []],
    ['keeps-mapping', ['lost-wake-up']],
  ] as const)('every schedule of a close against a %s region that stays breaks %j', (kind, rules) => {
    const scenario: RevokeScenario = {
      ...{ name: kind, importers: [kind], jobs: kind === 'keeps-mapping' ? 1 : 0, registered: true },
      ...{ stay: true, op: 'range-list' },
      owner: {
        *close(cast) {
          yield* takeBack(cast.scene.vdev, 'close');
          yield* cast.scene.closeDescriptor(cast.fd);
        },
      },
    };
    const { violations, complete } = explore((policy) => revokeScenarioRun(scenario, policy));
    const broken = new Set(violations.map(({ rule }) => rule));
    expect([...broken], violations.map(showViolation).join()).toEqual([...rules]);
    expect(complete).toBe(true);
  });
});
