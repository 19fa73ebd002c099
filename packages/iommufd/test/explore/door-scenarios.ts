// Door scenarios: what happens at once, for each door, and who misbehaves how.
// Simplified: none.

import type { PlantedScenario } from '@sgfree/exploration';
import type { IommufdDoor } from '../../src/index.ts';
import {
  addDomain,
  addDomainWhenTold,
  type DoorScenario,
  importBuffer,
  take,
  takeAndGiveOut,
  unmapBuffer,
} from './door-scenario.ts';

const DOORS: readonly IommufdDoor[] = ['interconnect', 'pal', 'converter'];

const forEachDoor = (scenarios: readonly Omit<DoorScenario, 'door'>[]): DoorScenario[] =>
  DOORS.flatMap((door) =>
    scenarios.map((scenario) => ({ ...scenario, door, name: `${door}: ${scenario.name}` })),
  );

/** Explored completely with every test run. */
export const smallScenarios: readonly DoorScenario[] = forEachDoor([
  {
    name: 'taking back against an import',
    early: 'domain',
    threads: { owner: take, importer: importBuffer },
  },
  {
    name: 'taking back against a new domain',
    early: 'import',
    threads: { owner: take, device: addDomain },
  },
  {
    name: 'taking back against an unmap',
    early: 'import and domain',
    threads: { owner: take, importer: unmapBuffer },
  },
  {
    name: 'taking back against an import and a new domain',
    threads: { owner: take, importer: importBuffer, device: addDomain },
  },
]);

/** Explored completely by `npm run explore`. */
export const largeScenarios: readonly DoorScenario[] = forEachDoor([
  {
    name: 'taking back and giving out against an import and a new domain',
    threads: { owner: takeAndGiveOut, importer: importBuffer, device: addDomain },
  },
  {
    name: 'taking back against an import, an unmap and a new domain',
    threads: { owner: take, importer: importBuffer, other: unmapBuffer, device: addDomain },
  },
]);

/** Random schedules of `npm run explore`. */
export const seededScenarios: readonly DoorScenario[] = forEachDoor([
  {
    name: 'taking back and giving out against an import, an unmap and a new domain',
    threads: { owner: takeAndGiveOut, importer: importBuffer, other: unmapBuffer, device: addDomain },
  },
]);

const importing = { early: 'domain', threads: { owner: take, importer: importBuffer } } as const;
const adding = { early: 'import', threads: { owner: take, device: addDomain } } as const;
const shown = { early: 'import and domain', threads: { owner: take } } as const;

/** Those who misbehave, and the rule that they break. */
export const plantedScenarios: readonly PlantedScenario<DoorScenario>[] = [
  {
    scenario: {
      ...importing,
      name: 'an owner that tells before it refuses',
      door: 'interconnect',
      manners: 'tells-before-it-refuses',
    },
    shows: ['entries-after-revoke'],
  },
  {
    scenario: {
      ...adding,
      name: 'an owner that does not tell, where nobody counts',
      door: 'interconnect',
      manners: 'does-not-tell',
    },
    shows: ['entries-after-revoke'],
  },
  {
    scenario: {
      ...adding,
      name: 'an owner that does not tell, and waits for a list',
      door: 'pal',
      manners: 'does-not-tell',
    },
    shows: ['lost-wake-up'],
  },
  {
    scenario: {
      ...shown,
      name: 'an owner that loses what was returned',
      door: 'converter',
      manners: 'loses-a-return',
    },
    shows: ['lost-wake-up'],
  },
  {
    scenario: {
      ...shown,
      name: 'an owner that tells without the lock',
      door: 'converter',
      manners: 'tells-without-the-lock',
    },
    shows: ['dma-buf-lock-needed'],
  },
  {
    scenario: {
      name: 'an importer that makes a domain when it is told',
      early: 'import',
      threads: { owner: take, importer: addDomainWhenTold },
      door: 'pal',
    },
    shows: ['lock-order'],
  },
];
