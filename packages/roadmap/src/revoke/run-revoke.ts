// runRevoke: runs a revoke under traffic and reports it.
// Source followed: the project's stage 6.
// Simplified: none.

import type { RdmaStatusName } from '@sgfree/hw-model';
import { fabricRoutes } from '../fabric-routes.ts';
import type { MachineObserver } from '../machine-observer.ts';
import type { LentTraffic } from './lent-traffic.ts';
import type { RevokeRole } from './revoke-cast.ts';
import { compareRevokeData } from './revoke-data.ts';
import type { RevokeInput } from './revoke-input.ts';
import { revokeLeftovers } from './revoke-leftovers.ts';
import { revokeCrossing } from './revoke-operation.ts';
import type {
  RevokeImporterReport,
  RevokeReport,
  RevokeStatusCounts,
  RevokeTimings,
} from './revoke-report.ts';
import { RevokeRun } from './revoke-run.ts';
import { revokeStageReport } from './revoke-stage-report.ts';
import { wrongStatuses } from './revoke-statuses.ts';
import type { RevokeMoment } from './revoke-watch.ts';

/**
 * Lends a BAR to the regions of `input`, lets peers work on it, takes it back, and reports what happened and when.
 * @public
 */
export function runRevoke(input: RevokeInput, observe?: MachineObserver): RevokeReport {
  const run = new RevokeRun(input, observe);
  run.run();
  const { cast, watch } = run;
  const { roles, scene } = cast;
  const data = compareRevokeData(cast, [...roles.map(({ traffic }) => traffic), ...run.later]);
  const importers = roles.map((role, index) => importerReport(run, role, index));
  const timings = timingsOf(run);
  const fabric = fabricRoutes(scene.computer.fabric);
  const { before, during, late } = watch;
  run.leave();
  return {
    input: run.settings,
    stage: revokeStageReport(run, data),
    mapType: scene.kernel.mapType,
    importers,
    crossed: revokeCrossing(cast),
    ownerResult: run.ownerResult,
    startStep: watch.started?.step ?? -1,
    timings,
    accesses: { before, during, late, refused: watch.refused },
    bytesChangedLate: watch.bytesChangedLate,
    bytesVerified: data.verified,
    bytesWrong: data.wrong,
    fabric,
    hang: run.hang,
    violations: [...watch.violations],
    leftovers: revokeLeftovers(cast),
    clockSteps: scene.clock.step,
    schedulerSteps: run.schedulerSteps,
  };
}

function stepsAfter(run: RevokeRun, moment: RevokeMoment | null | undefined): number | null {
  const { started } = run.watch;
  return started === null || moment === null || moment === undefined ? null : moment.step - started.step;
}

function timingsOf(run: RevokeRun): RevokeTimings {
  const { watch, ownerDoneStep } = run;
  return {
    lastAccess: watch.lastAccess,
    calledBack: stepsAfter(run, watch.calledBack),
    fencesRetired: stepsAfter(run, watch.fencesRetired),
    mapsReturned: stepsAfter(run, watch.mapsReturned),
    waitReturned: stepsAfter(run, watch.waitReturned),
    givenOut: stepsAfter(run, watch.givenOut),
    ownerDone: stepsAfter(run, ownerDoneStep === null ? null : { step: ownerDoneStep, accesses: 0 }),
  };
}

function importerReport(run: RevokeRun, role: RevokeRole, index: number): RevokeImporterReport {
  const { importer, traffic } = role;
  const seen = run.watch.regions[index];
  return {
    name: importer.name,
    kind: importer.kind,
    device: run.cast.scene.kernel.adapter.name,
    refused: importer.refused,
    stoppedAfter: stepsAfter(run, seen?.stopped),
    unmappedAfter: stepsAfter(run, seen?.unmapped),
    posted: traffic.jobs.length,
    inFlight: seen?.inFlight ?? 0,
    completions: countsOf(traffic),
    wrongStatuses: wrongStatuses(traffic.statuses),
    missingCompletions: traffic.jobs.filter(({ status }) => status === null).length,
    probes: run.probes.get(role) ?? [],
  };
}

function countsOf({ statuses }: LentTraffic): RevokeStatusCounts {
  const counts: Partial<Record<RdmaStatusName, number>> = {};
  for (const status of statuses) if (status !== null) counts[status] = (counts[status] ?? 0) + 1;
  return counts as RevokeStatusCounts;
}
