// VFIO scenarios: what the owner's threads do, and the casts whose every schedule is explored.
// Source followed: the triggers of a revoke in drivers/vfio/pci: last close, reset, memory enable, hot reset.
// Simplified: none.

import type { ExplorationSuite } from '@sgfree/exploration';
import type { ModelTask, YieldPoint } from '@sgfree/hw-model';
import {
  vfioPciConfigWrite,
  vfioPciCoreCloseDevice,
  vfioPciDevSetHotReset,
  vfioPciIoctlReset,
} from '../../src/index.ts';
import { type Owner, type VfioScenario, vfioRun } from './vfio-scenario.ts';

const PCI_COMMAND = 4;
const SLOW_RESET: YieldPoint = { at: 'test:reset' };

/** The last close, after which the descriptor goes too. */
function* close({ machine, fd }: Owner): ModelTask<void> {
  yield* vfioPciCoreCloseDevice(machine.vdev);
  yield* machine.platform.files.close(fd);
}

function* resetAndClose(owner: Owner): ModelTask<void> {
  yield* vfioPciIoctlReset(owner.machine.vdev);
  yield* close(owner);
}

/** Memory decoding off and on again. */
function* toggleAndClose(owner: Owner): ModelTask<void> {
  for (const value of [0, 2])
    yield* vfioPciConfigWrite(owner.machine.vdev, PCI_COMMAND, Uint8Array.of(value, 0));
  yield* close(owner);
}

/** A reset of all devices below the bus, asked for through the other device. */
function* hotReset({ machine, set }: Owner): ModelTask<void> {
  yield* vfioPciDevSetHotReset(set, set.devices);
  yield* vfioPciCoreCloseDevice(machine.other);
}

const near = { importer: 'near' } as const;
const both = { near: 'near', far: 'far' } as const;

/** Explored completely with every test run. */
const smallScenarios: readonly VfioScenario[] = [
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
const largeScenarios: readonly VfioScenario[] = [
  { name: 'reset and last close against two importers', importers: both, threads: { owner: resetAndClose } },
];

/** Random schedules of `npm run explore`. */
const seededScenarios: readonly VfioScenario[] = [
  {
    name: 'hot reset against reset, last close and two importers',
    importers: both,
    threads: { 'hot reset': hotReset, owner: resetAndClose },
  },
];

/** A reset during which the function goes on answering, so that only the exporter's waits protect the memory. */
function* slowReset(): ModelTask<number> {
  for (let at = 0; at < 3; at += 1) yield SLOW_RESET;
  return 0;
}

const misbehaving = { importers: { importer: 'near' }, threads: { owner: resetAndClose } } as const;

export const vfioSuite: ExplorationSuite<VfioScenario> = {
  run: vfioRun,
  small: smallScenarios,
  large: largeScenarios,
  seeded: seededScenarios,
  planted: [
    {
      scenario: {
        name: 'an exporter that does not wait',
        ...misbehaving,
        options: { revoke: 'notify', reset: slowReset },
      },
      shows: ['bytes-after-revoke'],
    },
    {
      scenario: { name: 'an importer that keeps its mapping', ...misbehaving, manners: 'keeps-mapping' },
      shows: ['lost-wake-up'],
    },
  ],
  record: new URL('states.json', import.meta.url),
};
