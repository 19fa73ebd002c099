// PlantChoice: which faults can be planted at which stage of the road.
// Source followed: the road table; a fault of a run in RAM needs a storage driver, one of an exported BAR an exporter.
// Simplified: none.

import { GPU_EXCHANGE_PLANTS, PLANTED_FAULTS, theRoad } from '@sgfree/roadmap';
import { type CompareOptions, inExchange, PEER_PLANTED_FAULTS } from './compare-command.ts';
import { chosenStages } from './stage-choice.ts';

/** The name of a fault. */
export type PlantName = NonNullable<CompareOptions['plant']>;

/** All of them, in the order of the help. */
export const PLANTS: readonly PlantName[] = [
  ...new Set<PlantName>([...PLANTED_FAULTS, ...PEER_PLANTED_FAULTS, ...GPU_EXCHANGE_PLANTS]),
];

/** True for a fault that the run of a list can have, that is one that needs no `--stage`. */
export const fitsList = (plant: PlantName): boolean =>
  [...PLANTED_FAULTS, ...PEER_PLANTED_FAULTS].some((fault) => fault === plant);

/** The faults that stage `stage` can have; none at some. */
export function plantsOf(stage: number): readonly PlantName[] {
  const { storage, exporting, gpuExchange } = chosenStages(stage);
  return PLANTS.filter(
    (plant) =>
      (gpuExchange && inExchange(plant)) ||
      (storage.length > 0 && fitsList(plant) && plant !== 'phys-vec-leaks') ||
      (exporting.length > 0 && PEER_PLANTED_FAULTS.some((fault) => fault === plant)),
  );
}

/** For the help: which stages have which faults. */
export function plantsText(): string {
  const byFaults = new Map<string, number[]>();
  for (const { stage } of theRoad) {
    const faults = plantsOf(stage).join(', ') || 'none';
    byFaults.set(faults, [...(byFaults.get(faults) ?? []), stage]);
  }
  const lines = [...byFaults].map(([faults, stages]) => `  stage ${stages.join(', ')}: ${faults}`);
  return `\nFaults of --plant, by stage:\n${lines.join('\n')}\n`;
}
