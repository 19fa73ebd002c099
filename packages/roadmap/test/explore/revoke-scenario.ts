// RevokeScenario: a small cast in which every order of events can be tried: threads of the owner against regions that come,
// let a peer work, and go.
// Source followed: the revoke contract of dma-buf; the order of locks; the balance of maps and references. The cast, the
// owner's calls, the regions, the traffic and the watch are those of runRevoke.
// Simplified: work requests of one packet.

import {
  type ChoicePolicy,
  Clock,
  type ExploredRun,
  type ModelTask,
  type ScheduleFault,
  Scheduler,
} from '@sgfree/hw-model';
import type { PeerPlace } from '../../src/peer-tree-site.ts';
import { RevokeCast, type RevokeRole } from '../../src/revoke/revoke-cast.ts';
import type { RevokeImporterKind, RevokeOperation, RevokePlant } from '../../src/revoke/revoke-input.ts';
import { revokeLeftovers } from '../../src/revoke/revoke-leftovers.ts';
import { wrongStatuses } from '../../src/revoke/revoke-statuses.ts';
import { RevokeWatch } from '../../src/revoke/revoke-watch.ts';
import { castText } from './cast-text.ts';

const JOB_BYTES = 64;

/**
 * A scenario by name.
 * @internal
 */
export interface RevokeScenario {
  readonly name: string;
  readonly importers: readonly RevokeImporterKind[];
  /** Work requests of each region; 0 = it comes and goes. */
  readonly jobs: number;
  /** Threads of the owner by name. The last one that ends closes the buffer's descriptor. */
  readonly owner: Readonly<Record<string, (cast: RevokeCast) => ModelTask<void>>>;
  /** Regions are there before anything happens; default: they come at any time. */
  readonly registered?: boolean;
  /** Regions go only when they have been told; default: when their work is done. */
  readonly stay?: boolean;
  readonly place?: PeerPlace;
  readonly iommu?: boolean;
  readonly plant?: RevokePlant;
  /** Default `table`. */
  readonly op?: RevokeOperation;
}

/**
 * A fresh run of a scenario, for the explorer.
 * @internal
 */
export function revokeScenarioRun(scenario: RevokeScenario, policy: ChoicePolicy): ExploredRun {
  const scheduler = new Scheduler({ policy, clock: new Clock() });
  const { place = 'switch', iommu = false, op = 'table', importers, jobs, plant } = scenario;
  const planted = plant === undefined ? {} : { plant };
  const cast = new RevokeCast({
    ...{ scheduler, importers, place, iommu, op, jobs, ...planted },
    seed: 1,
    jobBytes: JOB_BYTES,
  });
  const watch = new RevokeWatch(cast);
  if (scenario.registered === true) for (const { importer } of cast.roles) cast.run(importer.register());
  for (const [name, body] of Object.entries(scenario.owner)) scheduler.spawn(name, body(cast));
  for (const role of cast.roles) scheduler.spawn(role.importer.name, comeWorkAndGo(role, scenario));
  return {
    scheduler,
    check: () => checkState(cast, watch),
    finish: () => checkEnd(cast),
    state: () => castText(cast, watch),
    outcome: () => cast.roles.map(outcomeOf).join('; '),
  };
}

function* comeWorkAndGo(
  { importer, connection, traffic }: RevokeRole,
  { jobs, registered = false, stay = false }: RevokeScenario,
): ModelTask<void> {
  if (!registered) yield* importer.register();
  if (importer.refused === 0) {
    yield* traffic.run(0, jobs - 1);
    if (stay) yield { at: 'region:told', until: () => importer.stopped };
    yield* importer.leave();
  }
  yield* connection.close();
}

const outcomeOf = ({ importer, traffic }: RevokeRole): string =>
  `${importer.name}: ${importer.refused === 0 ? traffic.statuses.join() : `refused ${importer.refused}`}`;

function checkState(cast: RevokeCast, watch: RevokeWatch): ScheduleFault | null {
  watch.look();
  const [broken] = watch.violations;
  if (broken !== undefined) return { rule: broken, detail: 'a rule of the kernel is broken' };
  if (watch.refused > 0) return { rule: 'access-refused', detail: 'a request met no memory' };
  if (watch.late > 0) return { rule: 'access-after-revoke', detail: 'the memory was touched after the wait' };
  const role = cast.roles.find(({ traffic }) => wrongStatuses(traffic.statuses) > 0);
  if (role !== undefined) return { rule: 'wrong-status', detail: role.importer.name };
  if (watch.quiet && cast.roles.some(({ importer }) => importer.mapped)) {
    return { rule: 'mapped-after-revoke', detail: 'a mapping outlived the wait' };
  }
  return null;
}

function checkEnd(cast: RevokeCast): ScheduleFault | null {
  const left = Object.entries(revokeLeftovers(cast)).filter(([, count]) => count !== 0);
  if (left.length === 0) return null;
  return { rule: 'left-over', detail: left.map(([what, count]) => `${what} ${count}`).join(', ') };
}
