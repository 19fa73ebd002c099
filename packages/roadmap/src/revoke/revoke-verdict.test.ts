// Every check of the verdict on a revoke: by a fault planted into a run, or by one field of a good report changed.
import { describe, expect, it } from 'vitest';
import type { RevokeInput, RevokePlant } from './revoke-input.ts';
import type { RevokeReport } from './revoke-report.ts';
import { type RevokeFault, revokeFaults, revokeVerdict } from './revoke-verdict.ts';
import { runRevoke } from './run-revoke.ts';

const BASE: RevokeInput = {
  trigger: 'reset',
  importers: ['dynamic'],
  place: 'switch',
  iommu: false,
  seed: 2,
  hangSteps: 300,
};
const keeper = { importers: ['keeps-mapping'] } as const;

const PLANTED: readonly (readonly [RevokePlant, Partial<RevokeInput>, readonly RevokeFault[]])[] = [
  ['importer-never-unmaps', {}, ['not-stopped', 'unnamed', 'return']],
  ['importer-unmaps-at-work', { trigger: 'close' }, ['not-stopped', 'late-access', 'late-bytes', 'status']],
  ['importer-unmaps-at-work', { place: 'host-bridge', iommu: true }, ['not-stopped', 'status', 'refused']],
  ['exporter-does-not-wait', keeper, ['not-waited', 'late-access', 'late-bytes', 'order']],
  ['late-write', { trigger: 'close' }, ['late-access', 'late-bytes', 'order']],
  ['lost-completion', {}, ['completion']],
  ['wrong-byte', {}, ['data']],
  ['pinned-comes-back', { importers: ['pinned-revocable'] }, ['return']],
  ['dynamic-stays-away', {}, ['return']],
  ['mapping-leaked', {}, ['leftover']],
];

describe('a planted fault', () => {
  it.each(PLANTED)('%s %o is seen', (plant, departure, wanted) => {
    const report = runRevoke({ ...BASE, ...departure, plant });
    expect(revokeFaults(report)).toEqual(expect.arrayContaining([...wanted]));
    expect(revokeVerdict(report).ok).toBe(false);
  });
});

const good = runRevoke(BASE);
const hanging = runRevoke({ ...BASE, ...keeper });
const [region] = good.importers;
if (region === undefined || hanging.hang === null) throw new Error('nothing to change');
const { hang } = hanging;
const changed = (change: Partial<RevokeReport['importers'][number]>): Partial<RevokeReport> => ({
  importers: [{ ...region, ...change }],
});

const CHANGED: readonly (readonly [RevokeFault, RevokeReport, Partial<RevokeReport>])[] = [
  ['refusal', good, changed({ refused: 95 })],
  ['idle', good, changed({ inFlight: 0 })],
  ['not-stopped', good, changed({ stoppedAfter: null })],
  ['not-stopped', good, changed({ unmappedAfter: null })],
  ['unnamed', hanging, { hang: { ...hang, holders: [] } }],
  ['not-waited', hanging, { hang: null }],
  ['not-freed', hanging, { hang: { ...hang, releasedAfter: null } }],
  ['owner', good, { ownerResult: -11 }],
  ['late-access', good, { accesses: { ...good.accesses, late: 1 } }],
  ['late-bytes', good, { bytesChangedLate: 1 }],
  ['order', good, { timings: { ...good.timings, calledBack: null } }],
  ['order', good, { timings: { ...good.timings, mapsReturned: 1e6 } }],
  ['order', good, { timings: { ...good.timings, fencesRetired: 1e6 } }],
  ['order', good, { timings: { ...good.timings, lastAccess: 1e6 } }],
  ['order', good, { timings: { ...good.timings, waitReturned: null } }],
  ['status', good, changed({ wrongStatuses: 1 })],
  ['completion', good, changed({ missingCompletions: 1 })],
  ['data', good, { bytesWrong: 1 }],
  ['refused', good, { accesses: { ...good.accesses, refused: 1 } }],
  ['return', good, changed({ probes: [] })],
  ['return', good, changed({ probes: [{ when: 'after', sameRegion: 'SUCCESS', newRegion: 19 }] })],
  ['route', good, { mapType: 'thru-host-bridge' }],
  ['route', good, { fabric: { ...good.fabric, memory: { ...good.fabric.memory, bytes: 64 } } }],
  ['stage', good, { stage: { ...good.stage, bytesVerified: 0 } }],
  ['violation', good, { violations: ['lock-order'] }],
  ['operation', good, { crossed: { ...good.crossed, tables: 0 } }],
  ['operation', good, { crossed: { ...good.crossed, rangeLists: 1 } }],
  ['leftover', good, { leftovers: { ...good.leftovers, locks: 1 } }],
];

describe('a report', () => {
  it('of a good run has no fault', () => {
    expect([revokeFaults(good), revokeFaults(hanging)]).toEqual([[], []]);
    expect([revokeVerdict(good).ok, revokeVerdict(hanging).ok]).toEqual([true, true]);
  });

  it.each(CHANGED)('fails %s', (fault, report, change) => {
    expect(revokeFaults({ ...report, ...change })).toContain(fault);
  });
});
