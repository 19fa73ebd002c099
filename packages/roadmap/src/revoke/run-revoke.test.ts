// Revokes under traffic: every trigger against every kind of region, by switch and by host bridge, with and without IOMMU.
import { fc, test } from '@fast-check/vitest';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { REVOKE_IMPORTER_KINDS, REVOKE_TRIGGERS, type RevokeInput } from './revoke-input.ts';
import { revokeFaults } from './revoke-verdict.ts';
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
const SHORT = { seed: 1, hangSteps: 300 };

/** Each trigger meets each cast, and each of both meets each machine. */
const inputs = REVOKE_TRIGGERS.flatMap((trigger, t) =>
  CASTS.map((importers, c): RevokeInput => {
    const { place, iommu } = MACHINES[(t + c) % MACHINES.length] ?? MACHINES[0];
    return { ...SHORT, trigger, importers, place, iommu };
  }),
);

describe('a revoke', () => {
  it.each(inputs)('by $trigger from $importers, $place, IOMMU $iommu', (input) => {
    const report = runRevoke(input);
    expect(revokeFaults(report), JSON.stringify(report)).toEqual([]);
    expect(runRevoke(input)).toEqual(report);
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
    const report = runRevoke({ ...SHORT, ...machine, ...input, jobs: 12 });
    const idle = report.importers.every(({ inFlight }) => inFlight === 0);
    expect(revokeFaults(report).filter((fault) => !idle || fault !== 'idle')).toEqual([]);
  });
});

describe('what Linux does with', () => {
  const run = (input: Partial<RevokeInput>) =>
    runRevoke({
      ...SHORT,
      trigger: 'close',
      importers: ['dynamic'],
      place: 'switch',
      iommu: false,
      ...input,
    });

  it('an importer that cannot be revoked: it is refused', () => {
    const [refused] = run({ importers: ['pinned'] }).importers;
    expect([refused?.refused, refused?.posted]).toEqual([Errno.EOPNOTSUPP, 0]);
  });

  it('one that keeps its mapping: the owner hangs with the memory lock held, and is freed by a deregistration', () => {
    const { hang, accesses, timings, importers } = run({ importers: ['pinned-revocable', 'keeps-mapping'] });
    expect(hang?.holders.map(({ importer }) => importer)).toEqual(['region 1']);
    expect([hang?.because, hang?.holdingLocks]).toEqual(['bound', ['memory_lock']]);
    expect(hang?.waited).toBeGreaterThan(300);
    expect(hang?.releasedAfter).not.toBeNull();
    expect(timings.waitReturned).toBeGreaterThan(300);
    expect(accesses.late).toBe(0);
    expect([importers[0]?.unmappedAfter, importers[1]?.unmappedAfter]).not.toContain(undefined);
    expect([importers[0]?.unmappedAfter === null, importers[1]?.unmappedAfter]).toEqual([false, null]);
  });

  it('one that keeps its mapping and has no work left: nothing could ever end the wait', () => {
    const { hang } = run({ plant: 'importer-never-unmaps' });
    expect(hang?.because).toBe('nothing-left');
  });

  it.each([
    ['dynamic', ['REM_ACCESS_ERR', 'SUCCESS']],
    ['pinned-revocable', ['REM_ACCESS_ERR', 'REM_ACCESS_ERR']],
  ] as const)('a %s region while memory is off and once it is on again', (kind, statuses) => {
    const [region] = run({ trigger: 'memory-off', importers: [kind] }).importers;
    expect(region?.probes.map(({ sameRegion }) => sameRegion)).toEqual(statuses);
    expect(region?.probes.map(({ newRegion }) => newRegion)).toEqual([Errno.ENODEV, 0]);
  });

  it('a device that was closed: nobody comes back', () => {
    const [region] = run({}).importers;
    expect(region?.probes).toEqual([
      { when: 'after', sameRegion: 'REM_ACCESS_ERR', newRegion: Errno.ENODEV },
    ]);
  });
});
