// runGuestSpace: runs a guest through a revoke and reports it.
// Source followed: the project's stage 7.
// Simplified: none.

import { hex, PAGE_SIZE } from '@sgfree/hw-model';
import { violatedRules } from '../exported-bar/rule-log.ts';
import { fabricRoutes } from '../fabric-routes.ts';
import type { MachineObserver } from '../machine-observer.ts';
import { compareGuestData, type GuestDataCheck } from './guest-space-data.ts';
import type { GuestSpaceInput } from './guest-space-input.ts';
import type {
  GuestArea,
  GuestDoorReport,
  GuestRevokeTimings,
  GuestSpaceReport,
} from './guest-space-report.ts';
import { GuestSpaceRun } from './guest-space-run.ts';
import type { GuestSpaceScene } from './guest-space-scene.ts';
import { guestStageReport } from './guest-space-stage-report.ts';
import type { GuestTraffic } from './guest-traffic.ts';

/**
 * Lets a guest map RAM and a lent BAR, lets its device work on both, takes the BAR back, and reports what happened.
 * @beta
 */
export function runGuestSpace(input: GuestSpaceInput, observe?: MachineObserver): GuestSpaceReport {
  const run = new GuestSpaceRun(input, observe);
  run.run();
  const { scene, watch, settings: shown } = run;
  const data = dataOf(run);
  const fabric = fabricRoutes(scene.computer.fabric);
  run.leave();
  return {
    input: shown,
    stage: guestStageReport(run, data),
    ram: areaOf(scene.ramIova, scene.ramSlots.bytes),
    bar: areaOf(run.iova, scene.barSlots.bytes),
    newBar: run.newIova === null ? null : areaOf(run.newIova, scene.barSlots.bytes),
    requesterId: scene.computer.nic.endpoint.requesterId,
    door: doorOf(run),
    pins: pinsOf(run),
    transfers: transfersOf(run),
    faults: scene.kernel.unit.counters.faults,
    faultRecords: run.faults.records,
    ownerResult: run.ownerResult,
    timings: timingsOf(run),
    revokeWork: run.revokeWork,
    accesses: { during: watch.during, late: watch.late },
    bytesChangedLate: watch.bytesChangedLate,
    oldAreaWorks: run.oldAreaWorks,
    importWhileOff: run.importWhileOff,
    importAfter: run.importAfter,
    newAreaBytes: run.fresh === null ? 0 : run.fresh.bytesRead + run.fresh.bytesWritten,
    unmapped: run.unmapped,
    bytesVerified: data.verified,
    bytesWrong: data.wrong,
    fabric,
    violations: violatedRules(scene.log.events),
    leftovers: leftoversOf(scene),
    clockSteps: scene.clock.step,
  };
}

const areaOf = (iova: number, bytes: number): GuestArea => ({ iova: hex(iova), bytes });

/** Reads of the device, and both memories as they stand. */
function dataOf({ scene, ram, bar, old, fresh, twoRanges }: GuestSpaceRun): GuestDataCheck {
  const inBar: readonly GuestTraffic[] = [bar, old, ...(fresh === null ? [] : [fresh])];
  const standing = compareGuestData(scene, [ram], inBar);
  const read = [ram, ...inBar];
  const sum = (count: (traffic: GuestTraffic) => number): number =>
    read.reduce((total, traffic) => total + count(traffic), 0);
  return {
    verified: standing.verified + twoRanges.bytesVerified + sum(({ bytesRead }) => bytesRead),
    wrong: standing.wrong + twoRanges.bytesWrong + sum(({ bytesWrong }) => bytesWrong),
  };
}

function doorOf(run: GuestSpaceRun): GuestDoorReport {
  const { errno, known, bytesVerified, bytesWrong } = run.twoRanges;
  return {
    physicalRangesKnown: run.rangesKnown,
    physicalRangesKnownOfTwo: known,
    physicalRangesKept: run.rangesKept,
    mappingsCounted: run.mappingsCounted,
    mapWork: run.mapWork,
    mapAllocatedBytes: run.mapAllocatedBytes,
    twoRanges: { errno, bytesVerified, bytesWrong },
    move: run.move,
  };
}

function pinsOf({ pins, scene }: GuestSpaceRun): GuestSpaceReport['pins'] {
  const at = (index: number): readonly [number, number] => pins[index] ?? [-1, -1];
  const [mapped, revoked, end] = [at(0), at(1), at(2)];
  return {
    ramPages: scene.ramSlots.bytes / PAGE_SIZE,
    pinned: [mapped[0], revoked[0], end[0]],
    charged: [mapped[1], revoked[1], end[1]],
  };
}

function transfersOf(run: GuestSpaceRun): GuestSpaceReport['transfers'] {
  const { ram, bar, old, ramJobsAtOwnerDone, barBeforeRevoke } = run;
  const writesRefused = ({ done }: GuestTraffic): number =>
    done.filter(({ write, status }) => write && status !== 'success').length;
  return {
    ram: ram.done.length,
    ramAfterRevoke: ram.done.length - ramJobsAtOwnerDone,
    ramRefused: ram.refused,
    bar: bar.done.length + old.done.length,
    barBeforeRevoke,
    barRefused: bar.refused + old.refused,
    barWritesRefused: writesRefused(bar) + writesRefused(old),
  };
}

function timingsOf({ watch, ownerDoneStep }: GuestSpaceRun): GuestRevokeTimings {
  const after = (step: number | null): number | null =>
    step === null || watch.started === null ? null : step - watch.started;
  return {
    lastAccess: watch.lastAccess,
    entriesGone: after(watch.entriesGone),
    waitReturned: after(watch.waitReturned),
    givenOut: after(watch.givenOut),
    ownerDone: after(ownerDoneStep),
  };
}

function leftoversOf({ kernel, liveTableEntries }: GuestSpaceScene): GuestSpaceReport['leftovers'] {
  const { files, buffers, order } = kernel.dmaBufs;
  return {
    pageTableEntries: liveTableEntries,
    iotlbEntries: kernel.unit.iotlb.live,
    objects: kernel.ctx.objects.size,
    pinnedPages: kernel.process.mm.pinnedVm,
    chargedPages: kernel.process.user.lockedVm,
    buffers: buffers.size,
    descriptors: files.count,
    registrations: kernel.vdev.registration.refs - 1,
    locks: order.allFree ? 0 : 1,
  };
}
