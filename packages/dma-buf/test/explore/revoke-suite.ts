// The scenarios around one dma-buf as a suite: what tests and `npm run explore` go through.
// Source followed: the contract of dma_buf_invalidate_mappings.
// Simplified: none.

import type { ExplorationSuite } from '@sgfree/exploration';
import { plantedBugs } from './planted-bugs.ts';
import { type RevokeScenario, revokeRun } from './revoke-scenario.ts';
import { largeScenarios, seededScenarios, smallScenarios } from './scenarios.ts';

export const revokeSuite: ExplorationSuite<RevokeScenario> = {
  run: revokeRun,
  small: smallScenarios,
  large: largeScenarios,
  seeded: seededScenarios,
  planted: plantedBugs.map(({ scenario, shows }) => ({ scenario, shows: [shows] })),
  record: new URL('states.json', import.meta.url),
};
