// GPU scenarios: the casts whose every schedule is explored, and who misbehaves how.
// Simplified: none.

import type { PlantedScenario } from '@sgfree/exploration';
import type { GpuScenario } from './gpu-scenario.ts';

/** Explored completely with every test run. */
export const smallScenarios: readonly GpuScenario[] = [
  { name: 'a move against an importer', way: 'mapping types', importers: ['near'], driver: ['to tt'] },
  {
    name: 'a move against an importer behind an IOMMU',
    way: 'mapping types',
    importers: ['far'],
    driver: ['to tt'],
    iommu: true,
  },
  { name: 'an eviction against an importer', way: 'mapping types', importers: ['near'], driver: ['evict'] },
  {
    name: 'a move against an importer of amdgpu tables',
    way: 'amdgpu',
    importers: ['near'],
    driver: ['to tt'],
  },
  { name: 'a move against an importer of xe tables', way: 'xe', importers: ['near'], driver: ['to tt'] },
];

/** Explored completely by the explorer's own run. */
export const largeScenarios: readonly GpuScenario[] = [
  {
    name: 'a move there and back against an importer',
    way: 'mapping types',
    importers: ['near'],
    driver: ['to tt', 'to vram'],
  },
  {
    name: 'a move against an importer that writes twice',
    way: 'mapping types',
    importers: ['near'],
    driver: ['to tt'],
    writes: 2,
  },
];

/** Random schedules of the explorer's own run. */
export const seededScenarios: readonly GpuScenario[] = [
  {
    name: 'a move there and back against two importers that write twice',
    way: 'mapping types',
    importers: ['near', 'far'],
    driver: ['to tt', 'to vram'],
    writes: 2,
  },
];

const misbehaving: Omit<GpuScenario, 'name'> = {
  way: 'mapping types',
  importers: ['near'],
  driver: ['to tt'],
};

/** Those who misbehave, and the rules that may show it. */
export const plantedScenarios: readonly PlantedScenario<GpuScenario>[] = [
  {
    scenario: {
      ...misbehaving,
      name: 'an importer that goes on writing through what was taken back',
      manners: { deaf: true },
      writes: 2,
    },
    shows: ['stray-write', 'bytes-lost'],
  },
  {
    scenario: {
      ...misbehaving,
      name: 'an importer that does not say what is under way',
      manners: { fenced: false },
    },
    shows: ['stray-write', 'bytes-lost'],
  },
];
