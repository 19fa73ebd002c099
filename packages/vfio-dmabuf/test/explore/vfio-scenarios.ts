// VFIO scenarios: what the owner's threads do, and the casts whose every schedule is explored.
// Source followed: the triggers of a revoke in drivers/vfio/pci: last close, reset, memory enable, hot reset.
// Simplified: none.

import { readFileSync, writeFileSync } from 'node:fs';
import type { ExplorationReport, ModelTask } from '@sgfree/hw-model';
import {
  vfioPciConfigWrite,
  vfioPciCoreCloseDevice,
  vfioPciDevSetHotReset,
  vfioPciIoctlReset,
} from '../../src/index.ts';
import type { Owner, VfioScenario } from './vfio-scenario.ts';

const PCI_COMMAND = 4;
const FILE: URL = new URL('states.json', import.meta.url);

/** The last close, after which the descriptor goes too. */
export function* close({ machine, fd }: Owner): ModelTask<void> {
  yield* vfioPciCoreCloseDevice(machine.vdev);
  yield* machine.platform.files.close(fd);
}

export function* resetAndClose(owner: Owner): ModelTask<void> {
  yield* vfioPciIoctlReset(owner.machine.vdev);
  yield* close(owner);
}

/** Memory decoding off and on again. */
export function* toggleAndClose(owner: Owner): ModelTask<void> {
  for (const value of [0, 2])
    yield* vfioPciConfigWrite(owner.machine.vdev, PCI_COMMAND, Uint8Array.of(value, 0));
  yield* close(owner);
}

/** A reset of all devices below the bus, asked for through the other device. */
export function* hotReset({ machine, set }: Owner): ModelTask<void> {
  yield* vfioPciDevSetHotReset(set, set.devices);
  yield* vfioPciCoreCloseDevice(machine.other);
}

const near = { importer: 'near' } as const;
const both = { near: 'near', far: 'far' } as const;

/** Explored completely with every test run. */
export const smallScenarios: readonly VfioScenario[] = [
  { name: 'last close against an importer', importers: near, threads: { owner: close } },
  {
    name: 'last close against an importer behind an IOMMU',
    importers: { importer: 'far' },
    threads: { owner: close },
    options: { iommu: true },
  },
  { name: 'reset and last close against an importer', importers: near, threads: { owner: resetAndClose } },
  {
    name: 'memory off, on and last close against an importer',
    importers: near,
    threads: { owner: toggleAndClose },
  },
  {
    name: 'hot reset against last close and an importer',
    importers: near,
    threads: { 'hot reset': hotReset, owner: close },
  },
  { name: 'last close against two importers', importers: both, threads: { owner: close } },
];

/** Explored completely by `npm run explore`. */
export const largeScenarios: readonly VfioScenario[] = [
  { name: 'reset and last close against two importers', importers: both, threads: { owner: resetAndClose } },
];

/** Random schedules of `npm run explore`. */
export const seededScenarios: readonly VfioScenario[] = [
  {
    name: 'hot reset against reset, last close and two importers',
    importers: both,
    threads: { 'hot reset': hotReset, owner: resetAndClose },
  },
];

/** States by the name of the scenario, which a run must reach. */
export function recordedStates(): Readonly<Record<string, number>> {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, number>;
}

export function recordStates(states: Readonly<Record<string, number>>): void {
  writeFileSync(FILE, `${JSON.stringify(states, null, 2)}\n`);
}

export function explorationLine(name: string, report: ExplorationReport): string {
  const [states, runs, schedules] = [report.states, report.runs, report.schedules].map((value) =>
    value.toLocaleString('en-US'),
  );
  return `${name}: ${states} states, ${runs} runs for ${schedules} schedules of up to ${report.deepest} steps, outcomes: ${report.outcomes.length}`;
}
