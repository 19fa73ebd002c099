// The scenarios of the doors as a suite: what tests and `npm run explore` go through.
// Source followed: the promise of a revoke (iopt_revoke_notify in drivers/iommu/iommufd/pages.c).
// Simplified: none.

import type { ExplorationSuite } from '@sgfree/exploration';
import { type DoorScenario, doorRun } from './door-scenario.ts';
import { largeScenarios, plantedScenarios, seededScenarios, smallScenarios } from './door-scenarios.ts';

export const doorSuite: ExplorationSuite<DoorScenario> = {
  run: doorRun,
  small: smallScenarios,
  large: largeScenarios,
  seeded: seededScenarios,
  planted: plantedScenarios,
  record: new URL('states.json', import.meta.url),
};
