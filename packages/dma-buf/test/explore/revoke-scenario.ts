// RevokeScenario: an exporter and importers on one machine, and what must hold in every state and at the end.
// Source followed: the revoke contract (after both waits nobody touches the memory), the order of locks, the balance of
// maps, references and fences.
// Simplified: none.

import { type ChoicePolicy, type ExploredRun, type ScheduleFault, Scheduler } from '@sgfree/hw-model';
import type { Importer } from './importers.ts';
import { RevokeMachine } from './revoke-machine.ts';
import type { RevokingExporter } from './revoking-exporter.ts';

/** Who takes part. */
export interface Cast {
  readonly exporter: RevokingExporter;
  readonly importers: readonly Importer[];
}

/** A scenario by name: the importers' names, and what they and the exporter do. */
export interface RevokeScenario {
  readonly name: string;
  readonly importers: readonly string[];
  /** Builds everybody and spawns their tasks. */
  readonly build: (machine: RevokeMachine, scheduler: Scheduler) => Cast;
}

/** A fresh run of a scenario. */
export function revokeRun({ importers, build }: RevokeScenario, policy: ChoicePolicy): ExploredRun {
  const scheduler = new Scheduler({ policy });
  const machine = new RevokeMachine(scheduler, importers);
  const cast = build(machine, scheduler);
  for (const importer of cast.importers) scheduler.spawn(importer.name, importer.run());
  return {
    scheduler,
    check: () => checkState(machine, cast),
    finish: () => checkEnd(machine, cast),
    state: () => stateText(machine, cast),
    outcome: () => cast.importers.map(({ name, results }) => `${name}: ${results.join()}`).join('; '),
  };
}

function checkState(machine: RevokeMachine, { exporter, importers }: Cast): ScheduleFault | null {
  const [event] = machine.platform.log.events;
  if (event !== undefined) {
    const { kind: _, rule, ...data } = event;
    return { rule: String(rule), detail: JSON.stringify(data) };
  }
  const refused = importers.find(({ results }) => results.some((result) => /unsupported|abort/.test(result)));
  if (refused !== undefined) {
    return { rule: 'access-refused', detail: `${refused.name} accessed memory that it had no right to` };
  }
  if (machine.blocked > 0) return { rule: 'access-refused', detail: 'a request met no window' };
  if (exporter.taken && !machine.untouched(0)) {
    return { rule: 'bytes-after-revoke', detail: 'the next user of the memory finds bytes of an importer' };
  }
  return exporter.taken && exporter.revoked ? mappedAfterRevoke(machine, exporter) : null;
}

function mappedAfterRevoke(machine: RevokeMachine, exporter: RevokingExporter): ScheduleFault | null {
  const open = machine.initiators.filter(({ windows }) => windows.has(exporter.place));
  if (open.length === 0) return null;
  return { rule: 'mapped-after-revoke', detail: open.map(({ dev }) => dev.name).join(' and ') };
}

function checkEnd(machine: RevokeMachine, { exporter, importers }: Cast): ScheduleFault | null {
  const { platform } = machine;
  const left = [
    exporter.kref === 1 ? '' : `kref ${exporter.kref}`,
    exporter.dmabuf.refs === 0 ? '' : `${exporter.dmabuf.refs} references of the buffer`,
    exporter.dmabuf.attachments.length === 0 ? '' : 'attachments',
    platform.buffers.size === 0 ? '' : 'the buffer',
    platform.order.allFree ? '' : 'locks',
    machine.initiators.every(({ windows }) => windows.size === 0) ? '' : 'windows',
    importers.every(({ fences }) => fences.every(({ refs }) => refs === 0)) ? '' : 'references of fences',
  ].filter((what) => what !== '');
  return left.length === 0 ? null : { rule: 'left-over', detail: left.join(', ') };
}

/** Everything that the rest of a run can depend on. */
function stateText(machine: RevokeMachine, { exporter, importers }: Cast): string {
  const { dmabuf, revoked, kref, place, taken, allUnmapped } = exporter;
  const { list, mutex } = dmabuf.resv;
  const fences = list?.entries.map(({ fence, usage }) => `${fence.context}.${fence.seqno}.${usage}`);
  const attached = dmabuf.attachments.map(({ dev }) => dev.name);
  return [
    [revoked, kref, place, taken, allUnmapped.done, dmabuf.refs, mutex.locked, list?.capacity].join(),
    fences?.join('+'),
    attached.join('+'),
    machine.text,
    ...importers.map(({ text }) => text),
  ].join(' / ');
}
