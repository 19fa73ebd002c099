// VfioScenario: the owner of a VFIO device against importers of its BAR, with the real exporter, for the explorer.
// Source followed: the triggers of a revoke in drivers/vfio/pci (last close, reset, hot reset, memory enable), and the
// promise that no byte lands after the exporter's wait returned.
// Simplified: each importer writes one job of two requests.

import {
  type ChoicePolicy,
  Clock,
  type ExploredRun,
  type ModelTask,
  type ScheduleFault,
  Scheduler,
} from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { VfioDeviceSet, vfioPciCoreEnable } from '../../src/index.ts';
import { type ImporterManners, TestImporter } from '../test-importer.ts';
import { featureBytes, VfioMachine, type VfioMachineOptions } from '../vfio-machine.ts';

const PCI_COMMAND = 4;
const JOB_BYTES = 256;

/** What the threads of the owner are given. */
export interface Owner {
  readonly machine: VfioMachine;
  readonly set: VfioDeviceSet;
  readonly fd: number;
}

/** A scenario by name. */
export interface VfioScenario {
  readonly name: string;
  readonly importers: Readonly<Record<string, 'near' | 'far'>>;
  readonly threads: Readonly<Record<string, (owner: Owner) => ModelTask<unknown>>>;
  readonly manners?: ImporterManners;
  readonly options?: VfioMachineOptions;
}

/** An importer, its result, and at which of its own steps it was told. */
class Part {
  readonly importer: TestImporter;
  readonly #toldAt: number[] = [];
  #steps = 0;
  result: number | null = null;

  constructor(machine: VfioMachine, where: 'near' | 'far', manners: ImporterManners) {
    this.importer = new TestImporter(machine, where, manners);
    this.importer.onTold = () => void this.#toldAt.push(this.#steps);
  }

  /** The importer's task, with its steps counted. */
  *run(fd: number): ModelTask<void> {
    const body = this.#body(fd);
    for (let next = body.next(); next.done !== true; next = body.next()) {
      this.#steps += 1;
      yield next.value;
    }
  }

  *#body(fd: number): ModelTask<void> {
    this.result = yield* this.importer.open(fd);
    if (this.result !== 0) return;
    this.result = yield* this.importer.write(new Uint8Array(JOB_BYTES).fill(1));
    yield* this.importer.close();
  }

  get text(): string {
    const { mapped, error, written, attach } = this.importer;
    return `${this.result} ${mapped} ${error} ${written} ${attach !== null} ${this.#toldAt.join()}`;
  }
}

/** A fresh run of a scenario. */
export function vfioRun(scenario: VfioScenario, policy: ChoicePolicy): ExploredRun {
  const scheduler = new Scheduler({ policy, clock: new Clock() });
  const machine = new VfioMachine({ ...scenario.options, scheduler });
  machine.run(vfioPciCoreEnable(machine.other));
  const set = new VfioDeviceSet(scheduler, [machine.vdev, machine.other]);
  const fd = machine.ioctl(featureBytes({ ranges: [[0n, 0x1000n]] }));
  const parts = new Map<string, Part>();
  for (const [name, body] of Object.entries(scenario.threads))
    scheduler.spawn(name, body({ machine, set, fd }));
  for (const [name, where] of Object.entries(scenario.importers)) {
    const part = new Part(machine, where, scenario.manners ?? 'good');
    parts.set(name, part);
    scheduler.spawn(name, part.run(fd));
  }
  return {
    scheduler,
    check: () => checkState(machine, parts),
    finish: () => checkEnd(machine),
    state: () => stateText(machine, parts),
    outcome: () => [...parts].map(([name, { result }]) => `${name} ${result}`).join(', '),
  };
}

function checkState(machine: VfioMachine, parts: ReadonlyMap<string, Part>): ScheduleFault | null {
  const [rule] = machine.rules();
  if (typeof rule === 'string') return { rule, detail: 'a rule of the kernel is broken' };
  for (const [name, { importer, result }] of parts) {
    if (importer.error === -Errno.EIO || result === -Errno.EIO) {
      return { rule: 'access-refused', detail: `${name} accessed memory that had been taken` };
    }
  }
  return landedLate(machine)
    ? { rule: 'bytes-after-revoke', detail: 'a byte landed after the wait returned' }
    : null;
}

/** True when the last write came after the last revoke was complete, and the buffer has not been given out since. */
function landedLate({ log, bar }: VfioMachine): boolean {
  const moves = log.events.filter(({ kind }) => kind === 'vfio:revoked' || kind === 'vfio:unrevoked');
  const last = moves[moves.length - 1];
  return last?.kind === 'vfio:revoked' && (bar.writes[bar.writes.length - 1] ?? -1) > Number(last['step']);
}

function checkEnd(machine: VfioMachine): ScheduleFault | null {
  const left = machine.leftovers;
  if (left.every((count) => count === 0) && machine.platform.order.allFree) return null;
  return {
    rule: 'left-over',
    detail: `${left.join()} of descriptors, buffers, registrations, arrays, leaves, ranges`,
  };
}

/** Everything that the rest of a run can depend on. */
function stateText(machine: VfioMachine, parts: ReadonlyMap<string, Part>): string {
  const { vdev, other, platform, log, sgArrays } = machine;
  const devices = [vdev, other].map(
    ({ pdev, powerState, openCount, registration, counters, dmabufs, config }) => [
      ...[pdev.fn.config.read(PCI_COMMAND, 2), powerState, openCount, registration.refs, counters.resets],
      ...[counters.revokes, counters.unrevokes, config.read(PCI_COMMAND, 2)],
      ...dmabufs.map((priv) => `${priv.revoked}.${priv.kref}.${priv.done.done}`),
    ],
  );
  const buffers = [...platform.buffers].map((buffer) => bufferText(buffer as never));
  const written = machine.bar.writes.length;
  return [devices.join('|'), buffers, platform.files.count, sgArrays.liveArrays, written, log.events.length]
    .concat([...parts.values()].map(({ text }) => text))
    .join(' / ');
}

interface BufferParts {
  readonly refs: number;
  readonly attachments: readonly { readonly dev: { readonly name: string } }[];
  readonly resv: {
    readonly list: { readonly entries: readonly { readonly fence: { readonly context: number } }[] } | null;
    readonly mutex: { readonly locked: boolean };
  };
}

function bufferText({ refs, attachments, resv }: BufferParts): string {
  const fences = resv.list?.entries.map(({ fence }) => fence.context) ?? [];
  const attached = attachments.map(({ dev }) => dev.name);
  return `${refs} ${attached.join()} ${resv.mutex.locked} ${fences.join()}`;
}
