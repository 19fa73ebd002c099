// Revokes of an RDMA importer as a suite: what tests and `npm run explore` go through.
// Source followed: the project's stage 6; the scenarios call what `runRevoke` calls.
// Simplified: none.

import type { ExplorationSuite } from '@sgfree/exploration';
import { plantedScenarios } from './planted-scenarios.ts';
import { type RevokeScenario, revokeScenarioRun } from './revoke-scenario.ts';
import { largeScenarios, seededScenarios, smallScenarios } from './revoke-scenarios.ts';

export const revokeSuite: ExplorationSuite<RevokeScenario> = {
  run: revokeScenarioRun,
  small: smallScenarios,
  large: largeScenarios,
  seeded: seededScenarios,
  planted: plantedScenarios,
  record: new URL('states.json', import.meta.url),
};
