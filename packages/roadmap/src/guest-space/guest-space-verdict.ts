// The verdict on a guest's address space: what iommufd and the exporter promise, and the name of each promise that is broken.
// Source followed: iopt_map_dmabuf() and iopt_revoke_notify() in drivers/iommu/iommufd/pages.c: an imported buffer is revoked for ever,
// unmaps in full and pins nothing; the doors as the RFC and its review describe them.
// Simplified: none.

import { VtdFaultReason } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { Verdict } from '../verdict.ts';
import type { GuestSpaceDoor } from './guest-space-input.ts';
import type { GuestArea, GuestFault, GuestSpaceReport } from './guest-space-report.ts';

/**
 * The code of a check that a run can fail.
 * @beta
 */
export type GuestSpaceFault =
  | 'owner'
  | 'late-access'
  | 'late-bytes'
  | 'order'
  | 'traffic'
  | 'faults'
  | 'ram'
  | 'dead-area'
  | 'unmap'
  | 'import'
  | 'pins'
  | 'work'
  | 'exposes'
  | 'expresses'
  | 'data'
  | 'route'
  | 'violation'
  | 'leftover';

type Check = readonly [text: string, fails: (report: GuestSpaceReport) => boolean];

const CHECKS: Readonly<Record<GuestSpaceFault, Check>> = {
  owner: ["the owner's call failed or never returned", ownerFailed],
  'late-access': ['the memory was accessed after it was taken back', ({ accesses }) => accesses.late > 0],
  'late-bytes': ['bytes landed after it was taken back', ({ bytesChangedLate }) => bytesChangedLate > 0],
  order: ['the exporter did not wait for the page table', outOfOrder],
  traffic: ['the device could not work on the memory before it was taken back', trafficMissing],
  faults: ['the host did not read a record of every refused access', faultsMissing],
  ram: ['the RAM did not go on working', ramFailed],
  'dead-area': ['the old area came back to life', ({ oldAreaWorks }) => oldAreaWorks],
  unmap: ['unmapping the dead area did not return all of it', ({ unmapped, bar }) => unmapped !== bar.bytes],
  import: ['importing again worked, or failed, against the rules', wrongImport],
  pins: ['pages pinned or charged are not those of the RAM', wrongPins],
  work: [
    'entries, places, pages or bookkeeping were not counted, or entries stayed, or no hardware was told',
    (report) => workMissing(report) || figureMissing(report),
  ],
  exposes: ['the door told another number of physical ranges, or one is still known', wrongExposure],
  expresses: ['the door took, or refused, two ranges or a move against the rules', wrongExpression],
  data: ['wrong bytes, or bytes that nobody compared', dataWrong],
  route: ['guest addresses were taken inside the switch', ({ fabric }) => fabric.switchLocal.bytes > 0],
  violation: ["a rule of the kernel's was broken", ({ violations }) => violations.length > 0],
  leftover: ['something was left', somethingLeft],
};

/** What each door tells iommufd of a buffer of one range and of one of two, and how it answers the second. */
const DOORS: Readonly<
  Record<GuestSpaceDoor, { readonly known: number; readonly ofTwo: number; readonly errno: number }>
> = {
  interconnect: { known: 1, ofTwo: 0, errno: Errno.EOPNOTSUPP },
  pal: { known: 1, ofTwo: 2, errno: 0 },
  converter: { known: 0, ofTwo: 0, errno: 0 },
};

/**
 * The checks that `report` fails.
 * @beta
 */
export function guestSpaceFaults(report: GuestSpaceReport): GuestSpaceFault[] {
  return (Object.keys(CHECKS) as GuestSpaceFault[]).filter((code) => CHECKS[code][1](report));
}

/**
 * Judges a run.
 * @beta
 */
export function guestSpaceVerdict(report: GuestSpaceReport): Verdict {
  const wrong = guestSpaceFaults(report).map((code) => CHECKS[code][0]);
  if (wrong.length > 0) return { ok: false, line: `FAILED: ${wrong.join('; ')}` };
  return { ok: true, line: `OK: ${doneText(report)}` };
}

function doneText({ timings, faultRecords, unmapped, importAfter, bytesVerified }: GuestSpaceReport): string {
  const again = importAfter === 0 ? 'imported anew' : 'not importable any more (ENODEV)';
  return `last access ${timings.lastAccess} steps after the revoke began, none after the wait (${timings.waitReturned}), ${faultRecords.length} faults recorded, ${unmapped} bytes unmapped, ${again}, ${bytesVerified} bytes right`;
}

function ownerFailed({ ownerResult, timings }: GuestSpaceReport): boolean {
  return ownerResult !== 0 || timings.ownerDone === null;
}

/** The entries go and the last access comes before the wait is over. */
function outOfOrder({ timings }: GuestSpaceReport): boolean {
  const { entriesGone, waitReturned, lastAccess } = timings;
  if (entriesGone === null || waitReturned === null) return true;
  return entriesGone > waitReturned || lastAccess > waitReturned;
}

function trafficMissing({ transfers, input }: GuestSpaceReport): boolean {
  return transfers.barBeforeRevoke < input.actAfter;
}

/** Each refused transfer is one fault and one record, of the passed-through device, in the area, and as it was: read or write. */
function faultsMissing({ faults, faultRecords, transfers, requesterId, bar }: GuestSpaceReport): boolean {
  if (faults === 0 || faults !== transfers.barRefused || faultRecords.length !== faults) return true;
  if (faultRecords.filter(({ write }) => write).length !== transfers.barWritesRefused) return true;
  return faultRecords.some(
    (record) => record.requesterId !== requesterId || !isIn(record, bar) || wrongReason(record),
  );
}

function isIn({ page }: GuestFault, { iova, bytes }: GuestArea): boolean {
  const at = Number(page) - Number(iova);
  return at >= 0 && at < bytes;
}

/** An entry that is not there permits neither. */
const wrongReason = ({ write, reason }: GuestFault): boolean =>
  reason !== (write ? VtdFaultReason.writeNotPermitted : VtdFaultReason.readNotPermitted);

/** Both memories are compared as they stand. */
function dataWrong({ input, bytesWrong, bytesVerified }: GuestSpaceReport): boolean {
  return bytesWrong > 0 || bytesVerified < 2 * input.jobs * input.jobBytes;
}

function ramFailed({ transfers }: GuestSpaceReport): boolean {
  return transfers.ramRefused > 0 || transfers.ramAfterRevoke === 0;
}

/** -ENODEV while it is taken back, for ever after the last close; else it works, and so does the device there. */
function wrongImport({ input, importWhileOff, importAfter, newAreaBytes }: GuestSpaceReport): boolean {
  if (importWhileOff !== (input.trigger === 'memory-off' ? Errno.ENODEV : null)) return true;
  if (input.trigger === 'close') return importAfter !== Errno.ENODEV;
  return importAfter !== 0 || newAreaBytes !== 2 * input.jobBytes;
}

function wrongPins({ pins }: GuestSpaceReport): boolean {
  const wanted = [pins.ramPages, pins.ramPages, 0].join();
  return pins.pinned.join() !== wanted || pins.charged.join() !== wanted;
}

/** The entries that mapping wrote, and no others, are cleared by taking back, and the hardware is told and waited for. */
function workMissing({ door, revokeWork }: GuestSpaceReport): boolean {
  if (door.mapWork.entriesWritten === 0 || door.mapAllocatedBytes === 0) return true;
  if (revokeWork.entriesCleared !== door.mapWork.entriesWritten || revokeWork.entriesWritten !== 0)
    return true;
  return revokeWork.invalidationCommands === 0 || revokeWork.invalidationWaits === 0;
}

/** iommufd chose a place for the memory, looked once at each page of RAM that it pinned, and needed bookkeeping for both. */
function figureMissing({ door, pins, stage, newBar }: GuestSpaceReport): boolean {
  const { total, tracking, dmaRangesOut } = stage;
  const imports = newBar === null ? 1 : 2;
  if (door.mapWork.iovaAllocations !== 1 || total.iovaAllocations < imports) return true;
  if (dmaRangesOut !== total.iovaAllocations + 1 || total.structPagesTouched !== pins.ramPages) return true;
  return (
    tracking.totalBytes <= imports * door.mapAllocatedBytes || tracking.peakBytes <= door.mapAllocatedBytes
  );
}

function wrongExposure({ input, door }: GuestSpaceReport): boolean {
  const { known, ofTwo } = DOORS[input.door];
  if (door.physicalRangesKept !== 0) return true;
  return door.physicalRangesKnown !== known || door.physicalRangesKnownOfTwo !== ofTwo;
}

/** A buffer that moves is gone for good where it was mapped, and found at its new place once it was mapped anew. */
function wrongExpression({ input, door }: GuestSpaceReport): boolean {
  const { errno } = DOORS[input.door];
  const { before, oldArea, mappedAnew } = door.move;
  if (before !== 'buffer' || oldArea !== 'nothing' || mappedAnew !== 'buffer') return true;
  return door.twoRanges.errno !== errno || (errno === 0 && door.twoRanges.bytesVerified === 0);
}

function somethingLeft({ leftovers, stage }: GuestSpaceReport): boolean {
  const { entriesWritten, entriesCleared } = stage.total;
  if (stage.failureCount > 0 || entriesWritten !== entriesCleared) return true;
  return Object.values(leftovers).some((count) => count !== 0);
}
