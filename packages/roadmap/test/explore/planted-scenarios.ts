// Planted scenarios: casts in which one side breaks the contract, and the rules by which that shows.
// Source followed: the duties of both sides in the revoke contract of dma-buf.
// Simplified: the faults are those of runRevoke that concern the order of events.

import type { PlantedScenario } from '@sgfree/exploration';
import type { RevokeScenario } from './revoke-scenario.ts';
import { close } from './revoke-scenarios.ts';

const ready = { jobs: 1, registered: true, owner: { close } } as const;

export const plantedScenarios: readonly PlantedScenario<RevokeScenario>[] = [
  {
    scenario: { name: 'a region that keeps its mapping', ...ready, importers: ['keeps-mapping'], stay: true },
    shows: ['lost-wake-up'],
  },
  {
    scenario: {
      name: 'a region that unmaps while its adapter works',
      ...{ ...ready, importers: ['dynamic'], plant: 'importer-unmaps-at-work' },
    },
    shows: ['access-after-revoke'],
  },
  {
    scenario: {
      name: 'an exporter that does not wait',
      ...{ ...ready, importers: ['keeps-mapping'], plant: 'exporter-does-not-wait' },
    },
    shows: ['mapped-after-revoke'],
  },
];
