// The scenarios of the GPU exporters as a suite: what tests and `npm run explore` go through.
// Source followed: the contract of invalidation.
// Simplified: none.

import type { ExplorationSuite } from '@sgfree/exploration';
import { type GpuScenario, gpuRun } from './gpu-scenario.ts';
import { largeScenarios, plantedScenarios, seededScenarios, smallScenarios } from './gpu-scenarios.ts';

export const gpuSuite: ExplorationSuite<GpuScenario> = {
  run: gpuRun,
  small: smallScenarios,
  large: largeScenarios,
  seeded: seededScenarios,
  planted: plantedScenarios,
  record: new URL('states.json', import.meta.url),
};
