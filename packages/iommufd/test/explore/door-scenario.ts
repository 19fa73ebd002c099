// DoorScenario: an owner takes a lent BAR back while iommufd imports it, shows it in a new domain or unmaps it, by one of the doors,
// for the explorer.
// Source followed: the promise of a revoke (iopt_revoke_notify in pages.c): when it has returned, no page table leads to
// the memory.
// Simplified: one buffer of two pages; domains are those of the tests' mock IOMMU, or added without a device.

import {
  type ChoicePolicy,
  Clock,
  type ExploredRun,
  type ModelTask,
  type ScheduleFault,
  Scheduler,
} from '@sgfree/hw-model';
import type { IommufdDoor, IommufdIoas } from '../../src/index.ts';
import { DoorMachine } from '../door-machine.ts';
import type { LenderManners, LendingExporter } from '../lending-exporter.ts';

const PAGES = 2;
const BYTES = PAGES * 4096;
const AT = 0x1000000;

/** What a thread is given. */
export interface DoorCast {
  readonly machine: DoorMachine;
  readonly lender: LendingExporter;
  readonly ioas: IommufdIoas;
}

/** A thread; its number tells how it ended. */
export type DoorThread = (cast: DoorCast) => ModelTask<number>;

/** A scenario by name. */
export interface DoorScenario {
  readonly name: string;
  readonly door: IommufdDoor;
  readonly threads: Readonly<Record<string, DoorThread>>;
  /** Imported before the threads start; without a domain, if not `early domain`. */
  readonly early?: 'import' | 'import and domain' | 'domain';
  readonly manners?: LenderManners;
}

export function* take({ lender }: DoorCast): ModelTask<number> {
  yield* lender.take();
  return 0;
}

export function* takeAndGiveOut(cast: DoorCast): ModelTask<number> {
  yield* cast.lender.take();
  yield* cast.lender.giveOut();
  return 0;
}

export function* importBuffer({ machine, lender, ioas }: DoorCast): ModelTask<number> {
  const mapped = yield* machine.mapFile(ioas, lender.fd, 0, BYTES, AT);
  return mapped.ok ? 0 : -mapped.errno;
}

export function* unmapBuffer({ machine, ioas }: DoorCast): ModelTask<number> {
  const unmapped = yield* machine.unmap(ioas, AT, BYTES);
  return unmapped.ok ? 0 : -unmapped.errno;
}

export function* addDomain({ machine, ioas }: DoorCast): ModelTask<number> {
  return yield* machine.addDomain(ioas);
}

/** An importer that reacts to its memory being taken by making a domain, with the reservation lock held. */
export function* addDomainWhenTold({ machine, lender, ioas }: DoorCast): ModelTask<number> {
  const told = function* (): ModelTask<void> {
    yield* machine.addDomain(ioas);
  };
  return yield* lender.watch(told);
}

/** A fresh run of a scenario. */
export function doorRun(scenario: DoorScenario, policy: ChoicePolicy): ExploredRun {
  const scheduler = new Scheduler({ policy, clock: new Clock() });
  const machine = new DoorMachine({ door: scenario.door, scheduler });
  const ranges: [number, number][] =
    scenario.door === 'interconnect'
      ? [[0, BYTES]]
      : [
          [0, 4096],
          [8192, 4096],
        ];
  const lender = machine.lend(ranges, [scenario.door], scenario.manners);
  const cast = { machine, lender, ioas: machine.ioas() };
  const { early = 'nothing' } = scenario;
  if (early.includes('domain')) machine.run(addDomain(cast));
  if (early.includes('import')) machine.run(importBuffer(cast));
  const results = new Map<string, number>();
  for (const [name, body] of Object.entries(scenario.threads)) {
    scheduler.spawn(name, noting(results, name, body(cast)));
  }
  return {
    scheduler,
    check: () => checkState(cast),
    finish: () => checkEnd(cast),
    state: () => stateText(cast, results),
    outcome: () => resultText(results),
  };
}

function* noting(results: Map<string, number>, name: string, body: ModelTask<number>): ModelTask<void> {
  results.set(name, yield* body);
}

function checkState({ machine, lender }: DoorCast): ScheduleFault | null {
  const [rule] = machine.rules();
  if (typeof rule === 'string') return { rule, detail: 'a rule of the kernel is broken' };
  if (!lender.taken || machine.leaves === 0) return null;
  return { rule: 'entries-after-revoke', detail: `${machine.leaves} entries lead to memory that was taken` };
}

/** Everything is unmapped in the end; then nothing may be left. */
function checkEnd(cast: DoorCast): ScheduleFault | null {
  const { machine, lender, ioas } = cast;
  machine.run(unmapBuffer(cast));
  while (machine.domains.length > 0) machine.run(machine.removeDomain(ioas));
  const { attachments, refs } = lender.dmabuf;
  const left = [machine.leaves, attachments.length, refs - 1, lender.kref - 1, ioas.iopt.areas.ranges.length];
  if (left.every((count) => count === 0) && machine.platform.dmaBufs.order.allFree) return null;
  return { rule: 'left-over', detail: `${left.join()} of entries, attachments, references, loans, areas` };
}

const resultText = (results: ReadonlyMap<string, number>): string =>
  [...results]
    .map(([name, result]) => `${name} ${result}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join(', ');

/** Everything that the rest of a run can depend on. */
function stateText({ machine, lender, ioas }: DoorCast, results: ReadonlyMap<string, number>): string {
  const { dmabuf, revoked, taken, kref, done, counters } = lender;
  const { areas, domains } = ioas.iopt;
  const imports = dmabuf.attachments.map(({ importerPriv }) => importText(importerPriv));
  return JSON.stringify([
    ...[revoked, taken, kref, done.done, Object.values(counters), dmabuf.refs, dmabuf.resv.mutex.locked],
    ...[imports, areas.ranges.map(({ pages }) => pages === null), domains.length],
    ...[machine.domains.map(({ domain }) => domain.table.liveLeafEntries), machine.log.events.length],
    resultText(results),
  ]);
}

interface Pages {
  readonly refs: number;
  readonly mutex: { readonly locked: boolean };
  readonly source: {
    readonly buffer: {
      readonly shown: object | null;
      readonly tracker: readonly { readonly window: object | null }[];
    };
  };
}

function importText(priv: unknown): unknown {
  if (typeof priv !== 'object' || priv === null || !('source' in priv)) return null;
  const { refs, mutex, source } = priv as Pages;
  const { shown, tracker } = source.buffer;
  return [refs, mutex.locked, shown !== null, tracker.map(({ window }) => window !== null)];
}
