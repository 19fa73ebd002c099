// The verdict on a guest's address space: a right run passes, and each planted fault is seen by the check that is there for it.
import { hex } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { REVOKE_TRIGGERS } from '../revoke/revoke-input.ts';
import type { StageReport } from '../stage-report.ts';
import { NO_WORK, type WorkCounts } from '../work-counts.ts';
import {
  GUEST_SPACE_DOORS,
  GUEST_SPACE_PLANTS,
  type GuestSpaceInput,
  type GuestSpacePlant,
} from './guest-space-input.ts';
import type { GuestFault, GuestMoveReport, GuestSpaceReport } from './guest-space-report.ts';
import { type GuestSpaceFault, guestSpaceFaults, guestSpaceVerdict } from './guest-space-verdict.ts';
import { runGuestSpace } from './run-guest-space.ts';

const BATCH_ENTRY = 12;
const LIST_ENTRY = 16;
const BASE: GuestSpaceInput = { door: 'interconnect', trigger: 'reset', place: 'switch', seed: 3 };

const SEEN: Readonly<
  Record<GuestSpacePlant, readonly [Partial<GuestSpaceInput>, readonly GuestSpaceFault[]]>
> = {
  'never-shown': [{ trigger: 'close' }, ['traffic']],
  'records-unread': [{}, ['faults']],
  'skipped-invalidation': [{}, ['late-access', 'late-bytes', 'faults']],
  'wrong-byte': [{}, ['data']],
  'wrong-ram-byte': [{}, ['data']],
  'wrong-read': [{}, ['data']],
  'swapped-ranges': [{ door: 'converter' }, ['data']],
  'moved-untold': [{ door: 'pal' }, ['expresses']],
  'not-counted': [{}, ['work']],
  'no-redirect': [{}, ['data', 'route', 'late-access']],
  'device-stops': [{}, ['faults']],
  'area-comes-back': [{}, ['dead-area']],
  'early-return': [{ trigger: 'memory-off' }, ['import']],
  'ram-unmapped': [{}, ['ram', 'pins']],
  'unmap-cut': [{}, ['unmap']],
  'pin-lost': [{}, ['pins']],
  'other-door': [{}, ['exposes', 'expresses']],
  'lock-missing': [{}, ['violation']],
  'left-attached': [{}, ['leftover', 'pins']],
};

describe.each(GUEST_SPACE_PLANTS)('the fault %s', (plant) => {
  const [input, codes] = SEEN[plant];

  it('is seen by its check', () => {
    const report = runGuestSpace({ ...BASE, ...input, plant });
    expect(guestSpaceFaults(report), JSON.stringify(report)).toEqual(expect.arrayContaining([...codes]));
    expect(guestSpaceVerdict(report)).toMatchObject({ ok: false });
  });

  it('is what made the run fail', () => {
    expect(guestSpaceFaults(runGuestSpace({ ...BASE, ...input }))).toEqual([]);
  });
});

describe('a report that says', () => {
  const report = runGuestSpace(BASE);
  const off = runGuestSpace({ ...BASE, trigger: 'memory-off' });
  const closed = runGuestSpace({ ...BASE, trigger: 'close' });
  const { timings, transfers, door, stage, leftovers, bar } = report;
  const { waitReturned } = timings;
  const [first, ...others] = report.faultRecords;
  if (first === undefined || waitReturned === null) throw new Error('nothing was refused');
  const below = hex(Number(bar.iova) - 4096);
  const above = hex(Number(bar.iova) + bar.bytes);
  const withRecord = (changed: Partial<GuestFault>): GuestSpaceReport => ({
    ...report,
    faultRecords: [{ ...first, ...changed }, ...others],
  });
  const moved = (changed: Partial<GuestMoveReport>): GuestSpaceReport => ({
    ...report,
    door: { ...door, move: { ...door.move, ...changed } },
  });
  const mapping = (changed: Partial<WorkCounts>): GuestSpaceReport => ({
    ...report,
    door: { ...door, mapWork: { ...door.mapWork, ...changed } },
  });
  const figures = (changed: Partial<StageReport>): GuestSpaceReport => ({
    ...report,
    stage: { ...stage, ...changed },
  });
  const rows: readonly (readonly [string, GuestSpaceReport, GuestSpaceFault])[] = [
    ['the owner failed', { ...report, ownerResult: -Errno.EIO }, 'owner'],
    ['the owner never ended', { ...report, timings: { ...timings, ownerDone: null } }, 'owner'],
    ['entries stay', { ...report, timings: { ...timings, entriesGone: null } }, 'order'],
    ['the wait never ended', { ...report, timings: { ...timings, waitReturned: null } }, 'order'],
    ['entries go late', { ...report, timings: { ...timings, entriesGone: waitReturned + 1 } }, 'order'],
    ['an access is late', { ...report, timings: { ...timings, lastAccess: waitReturned + 1 } }, 'order'],
    ['bytes changed', { ...report, bytesChangedLate: 1 }, 'late-bytes'],
    ['a request arrived', { ...report, accesses: { ...report.accesses, late: 1 } }, 'late-access'],
    ['nothing was refused', { ...report, faults: 0, faultRecords: [] }, 'faults'],
    ['a record is missing', { ...report, faultRecords: others }, 'faults'],
    ['a fault too many', { ...report, faults: report.faults + 1 }, 'faults'],
    ['another function faulted', withRecord({ requesterId: first.requesterId + 1 }), 'faults'],
    ['it faulted below the area', withRecord({ page: below }), 'faults'],
    ['it faulted above the area', withRecord({ page: above }), 'faults'],
    ['reads are writes', withRecord({ write: !first.write }), 'faults'],
    ['another reason', withRecord({ reason: 2 }), 'faults'],
    [
      'the device was refused first',
      { ...report, transfers: { ...transfers, barBeforeRevoke: 0 } },
      'traffic',
    ],
    ['RAM was refused', { ...report, transfers: { ...transfers, ramRefused: 1 } }, 'ram'],
    ['RAM rested', { ...report, transfers: { ...transfers, ramAfterRevoke: 0 } }, 'ram'],
    ['the area came back', { ...report, oldAreaWorks: true }, 'dead-area'],
    ['less was unmapped', { ...report, unmapped: bar.bytes - 4096 }, 'unmap'],
    ['nothing was unmapped', { ...report, unmapped: -Errno.ENOENT }, 'unmap'],
    ['it was asked while off', { ...report, importWhileOff: Errno.ENODEV }, 'import'],
    ['import worked while off', { ...off, importWhileOff: 0 }, 'import'],
    ['import failed afterwards', { ...off, importAfter: Errno.ENODEV }, 'import'],
    ['import worked after the close', { ...closed, importAfter: 0 }, 'import'],
    ['the new area moved less', { ...report, newAreaBytes: report.input.jobBytes }, 'import'],
    ['pages stay pinned', { ...report, pins: { ...report.pins, pinned: [7, 7, 7] } }, 'pins'],
    ['pages stay charged', { ...report, pins: { ...report.pins, charged: [7, 7, 7] } }, 'pins'],
    ['mapping wrote nothing', { ...report, door: { ...door, mapWork: NO_WORK } }, 'work'],
    ['mapping asked for nothing', { ...report, door: { ...door, mapAllocatedBytes: 0 } }, 'work'],
    [
      'no hardware was told',
      { ...report, revokeWork: { ...report.revokeWork, invalidationCommands: 0 } },
      'work',
    ],
    [
      'nobody waited for it',
      { ...report, revokeWork: { ...report.revokeWork, invalidationWaits: 0 } },
      'work',
    ],
    ['a range is known no more', { ...report, door: { ...door, physicalRangesKnown: 0 } }, 'exposes'],
    ['two ranges are known', { ...report, door: { ...door, physicalRangesKnownOfTwo: 2 } }, 'exposes'],
    ['a range is kept', { ...report, door: { ...door, physicalRangesKept: 1 } }, 'exposes'],
    [
      'two ranges map',
      { ...report, door: { ...door, twoRanges: { ...door.twoRanges, errno: 0 } } },
      'expresses',
    ],
    ['a moved buffer was never read', moved({ before: 'nothing' }), 'expresses'],
    ['a moved buffer shows its old place', moved({ oldArea: 'others' }), 'expresses'],
    ['a moved buffer comes along', moved({ oldArea: 'buffer' }), 'expresses'],
    ['a moved buffer is lost', moved({ mappedAnew: 'nothing' }), 'expresses'],
    ['no place was chosen', mapping({ iovaAllocations: 0 }), 'work'],
    ['a place too many was chosen', figures({ dmaRangesOut: stage.dmaRangesOut + 1 }), 'work'],
    ['places were not counted', figures({ total: { ...stage.total, iovaAllocations: 0 } }), 'work'],
    ['pinned pages were not counted', figures({ total: { ...stage.total, structPagesTouched: 0 } }), 'work'],
    ['bookkeeping was not counted', figures({ tracking: { ...stage.tracking, totalBytes: 0 } }), 'work'],
    [
      'bookkeeping of the RAM was left out',
      figures({ tracking: { ...stage.tracking, peakBytes: door.mapAllocatedBytes } }),
      'work',
    ],
    ['a byte is wrong', { ...report, bytesWrong: 1 }, 'data'],
    ['nothing was compared', { ...report, bytesVerified: 0 }, 'data'],
    ['a rule was broken', { ...report, violations: ['a'] }, 'violation'],
    ['an object is left', { ...report, leftovers: { ...leftovers, objects: 1 } }, 'leftover'],
    ['teardown failed', { ...report, stage: { ...stage, failureCount: 1 } }, 'leftover'],
    [
      'an entry stays',
      { ...report, stage: { ...stage, total: { ...stage.total, entriesCleared: 0 } } },
      'leftover',
    ],
  ];
  it.each(rows)('%s', (_, said, code) => {
    expect(guestSpaceFaults(said)).toEqual([code]);
  });

  it('two ranges were mapped and not read', () => {
    const mapped = runGuestSpace({ ...BASE, door: 'pal' });
    const twoRanges = { ...mapped.door.twoRanges, bytesVerified: 0 };
    expect(guestSpaceFaults({ ...mapped, door: { ...mapped.door, twoRanges } })).toEqual(['expresses']);
  });
});

describe('a door', () => {
  it.each(GUEST_SPACE_DOORS)('%s is not taken for the next one', (door) => {
    const faults = guestSpaceFaults(runGuestSpace({ ...BASE, door, plant: 'other-door' }));
    expect(faults).toContain('exposes');
  });

  it('differs from the others in what it tells, what the exporter waits for and what it can express', () => {
    const rows = GUEST_SPACE_DOORS.map((door) => runGuestSpace({ ...BASE, door }).door);
    expect(rows.map((row) => row.physicalRangesKnown)).toEqual([1, 1, 0]);
    expect(rows.map((row) => row.physicalRangesKnownOfTwo)).toEqual([0, 2, 0]);
    expect(rows.map((row) => row.physicalRangesKept)).toEqual([0, 0, 0]);
    expect(rows.map((row) => row.mappingsCounted)).toEqual([0, 1, 1]);
    const [interconnect, pal, converter] = rows.map((row) => row.mapAllocatedBytes);
    // A list of one entry is 24 bytes. The converter takes one to ask, another for the window, and fills no batch.
    const batch = 7 * BATCH_ENTRY;
    expect([pal, converter]).toEqual([(interconnect ?? 0) + 24, (interconnect ?? 0) + 48 - batch]);
    expect(rows.map((row) => row.twoRanges.errno)).toEqual([Errno.EOPNOTSUPP, 0, 0]);
    expect(rows.map((row) => row.twoRanges.bytesVerified)).toEqual([0, 8192, 8192]);
  });
});

describe('a buffer that moves', () => {
  it.each(GUEST_SPACE_DOORS)('is gone by door %s, and found again once it was mapped anew', (door) => {
    const { move } = runGuestSpace({ ...BASE, door }).door;
    expect(move).toEqual({ before: 'buffer', oldArea: 'nothing', mappedAnew: 'buffer' });
  });

  it.each(GUEST_SPACE_DOORS)("leaves door %s with somebody else's bytes when nobody is told", (door) => {
    const { move } = runGuestSpace({ ...BASE, door, plant: 'moved-untold' }).door;
    expect(move).toEqual({ before: 'buffer', oldArea: 'others', mappedAnew: 'buffer' });
  });
});

describe('the figures of a guest', () => {
  it('are those of iommufd: places it chose, pages it pinned, memory it asked for', () => {
    for (const trigger of REVOKE_TRIGGERS) {
      const { stage, pins, door } = runGuestSpace({ ...BASE, door: 'pal', trigger });
      // The buffer of two ranges, the buffer, and the buffer once more where it may be imported again.
      const places = trigger === 'close' ? 2 : 3;
      expect(stage.total.iovaAllocations).toBe(places);
      expect(stage.dmaRangesOut).toBe(places + 1);
      expect(stage.total.structPagesTouched).toBe(pins.ramPages);
      expect(door.mapWork).toMatchObject({ iovaAllocations: 1, structPagesTouched: 0 });
      const { byStructure, totalBytes, peakBytes } = stage.tracking;
      const { 'mapped RAM': ram = 0, 'mapped dma-bufs': buffers = 0 } = byStructure;
      expect(ram + buffers).toBe(totalBytes);
      // The buffer of two ranges has a list that is an entry longer, and two pages to fill in.
      const twoRanges = door.mapAllocatedBytes + LIST_ENTRY - (pins.ramPages - 2) * BATCH_ENTRY;
      expect(buffers).toBe((places - 1) * door.mapAllocatedBytes + twoRanges);
      // One buffer at a time.
      expect(peakBytes).toBe(ram + door.mapAllocatedBytes);
    }
  });
});

describe('without redirection', () => {
  const report = runGuestSpace({ ...BASE, plant: 'no-redirect' });

  it('a guest address that is a bus address in the switch reaches the peer, and not the guest', () => {
    expect(report.fabric.switchLocal.bytes).toBeGreaterThan(0);
    expect(report.bytesWrong).toBeGreaterThan(0);
  });

  it('below another root port everything goes up', () => {
    const other = runGuestSpace({ ...BASE, place: 'host-bridge', plant: 'no-redirect' });
    expect(guestSpaceFaults(other)).toEqual([]);
  });
});
