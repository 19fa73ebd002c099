// One step of the road, from a stage to the next: the changes of every package, with the notes that go with them.
// A symbol that is deprecated or removed needs a note; a note needs a symbol. Anything else is a problem.
// Simplified: steps lead from each stage to the next that any package has an entry for.

import { type MigrationNote, notesFolder, type StepNotes } from './migration-notes.ts';
import { type PackageSurfaces, stagesOf, surfaceAt } from './package-surfaces.ts';
import { compareSurfaces, type SurfaceChange } from './surface-change.ts';

/** What a step does to one package. */
export interface PackageStep {
  readonly name: string;
  readonly isNew: boolean;
  readonly changes: readonly SurfaceChange[];
}

/** One step. */
export interface RoadStep {
  readonly from: number;
  readonly to: number;
  readonly packages: readonly PackageStep[];
  readonly introduction: string;
  readonly notes: readonly MigrationNote[];
}

/** The steps of the road in order. */
export function roadSteps(surfaces: readonly PackageSurfaces[], notes: readonly StepNotes[]): RoadStep[] {
  const stages = stagesOf(surfaces);
  return stages.slice(1).map((to, index) => {
    const from = stages[index] ?? to;
    const own = notes.find((candidate) => candidate.from === from && candidate.to === to);
    const packages = surfaces.flatMap((surface): PackageStep[] => {
      const before = surfaceAt(surface, from);
      const after = surfaceAt(surface, to);
      if (after === undefined) return [];
      return [{ name: surface.name, isNew: before === undefined, changes: compareSurfaces(before, after) }];
    });
    return { from, to, packages, introduction: own?.introduction ?? '', notes: own?.notes ?? [] };
  });
}

/** What is wrong between the steps and the notes. */
export function noteProblems(steps: readonly RoadStep[], notes: readonly StepNotes[]): string[] {
  const homeless = notes
    .filter(({ from, to }) => !steps.some((step) => step.from === from && step.to === to))
    .map(({ from, to }) => `${notesFolder}/stage-${from}-to-${to}.md: the road has no such step`);
  return [...homeless, ...steps.flatMap(stepProblems)];
}

function stepProblems(step: RoadStep): string[] {
  const file = `${notesFolder}/stage-${step.from}-to-${step.to}.md`;
  const missing = step.packages.flatMap(({ name, changes }) =>
    changes
      .filter(({ kind }) => kind === 'deprecated' || kind === 'removed')
      .filter((change) => noteOf(step, name, change.name) === undefined)
      .map((change) => `${file}: ${name}: ${change.name} is ${change.kind} and has no note`),
  );
  const unknown = step.notes
    .filter(
      ({ packageName, symbol }) =>
        !step.packages.some(
          ({ name, changes }) => name === packageName && changes.some((change) => change.name === symbol),
        ),
    )
    .map(({ packageName, symbol }) => `${file}: ${packageName} has no symbol ${symbol} at either stage`);
  return [...missing, ...unknown];
}

/** The note of a symbol in a step. */
export function noteOf(step: RoadStep, packageName: string, symbol: string): MigrationNote | undefined {
  return step.notes.find((note) => note.packageName === packageName && note.symbol === symbol);
}
