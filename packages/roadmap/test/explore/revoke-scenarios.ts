// Revoke scenarios: what the owner's threads do, and the casts whose every schedule is explored.
// Source followed: the triggers of a revoke in drivers/vfio/pci: reset, memory decoding, last close; and two at a time.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import type { RevokeCast } from '../../src/revoke/revoke-cast.ts';
import { takeBack, turnOn } from '../../src/revoke/revoke-owner.ts';
import type { RevokeScenario } from './revoke-scenario.ts';

/** The last close, after which the descriptor of the buffer goes too. */
export function* close({ scene, fd }: RevokeCast): ModelTask<void> {
  yield* takeBack(scene.vdev, 'close');
  yield* scene.closeDescriptor(fd);
}

export function* reset({ scene }: RevokeCast): ModelTask<void> {
  yield* takeBack(scene.vdev, 'reset');
}

export function* resetAndClose(cast: RevokeCast): ModelTask<void> {
  yield* reset(cast);
  yield* close(cast);
}

/** Memory decoding off and on again. */
export function* toggleAndClose(cast: RevokeCast): ModelTask<void> {
  yield* takeBack(cast.scene.vdev, 'memory-off');
  yield* turnOn(cast.scene.vdev, 'memory-off');
  yield* close(cast);
}

const dynamic = { importers: ['dynamic'] } as const;
const revocable = { importers: ['pinned-revocable'] } as const;
const mixed = { importers: ['dynamic', 'pinned-revocable'] } as const;
const owner = { close };
/** Regions that come at any time, attach, map, unmap and detach. */
const passing = { jobs: 0, owner };
const working = { jobs: 1, owner };
const farAway = { place: 'host-bridge', iommu: true } as const;

/** Explored completely with every test run. */
export const smallScenarios: readonly RevokeScenario[] = [
  { name: 'close against a pinned region, which is refused', importers: ['pinned'], ...working },
  { name: 'close against a dynamic region that comes and goes', ...dynamic, ...passing },
  { name: 'close against a revocable region that comes and goes', ...revocable, ...passing },
  { name: 'close against a dynamic region at work', ...dynamic, ...working },
  {
    name: 'close against a revocable region at work',
    ...{ ...revocable, ...working, ...farAway, registered: true },
  },
  {
    name: 'reset and close against a revocable region that comes and goes',
    ...{ ...revocable, ...passing },
    owner: { owner: resetAndClose },
  },
  {
    name: 'reset and close against a dynamic region that stays',
    ...{ ...dynamic, ...passing, ...farAway, registered: true, stay: true },
    owner: { owner: resetAndClose },
  },
  {
    name: 'reset against close and a region that stays',
    ...{ ...dynamic, ...passing, registered: true, stay: true },
    owner: { reset, close },
  },
  {
    name: 'reset against close and a region that comes and goes',
    ...{ ...dynamic, ...passing },
    owner: { reset, close },
  },
  { name: 'close against two regions that stay', ...mixed, ...passing, registered: true, stay: true },
];

/** Explored completely by `npm run explore`. */
export const largeScenarios: readonly RevokeScenario[] = [
  { name: 'close against a revocable region that comes and works', ...revocable, ...working },
  { name: 'close against a dynamic region that stays', ...dynamic, ...working, stay: true },
  { name: 'close against a revocable region that stays', ...revocable, ...working, stay: true },
  {
    name: 'reset and close against a dynamic region at work',
    ...{ ...dynamic, ...working },
    owner: { owner: resetAndClose },
  },
  {
    name: 'memory off, on and close against a dynamic region at work',
    ...{ ...dynamic, ...working },
    owner: { owner: toggleAndClose },
  },
  { name: 'close against two regions that come and go', ...mixed, ...passing },
  { name: 'close against two regions at work', ...mixed, ...working, registered: true },
];

/** Random schedules of `npm run explore`. */
export const seededScenarios: readonly RevokeScenario[] = [
  {
    name: 'reset against close and three regions at work',
    importers: ['dynamic', 'pinned-revocable', 'dynamic'],
    jobs: 4,
    owner: { reset, close },
  },
];
