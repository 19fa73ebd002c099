// What each package offers at each stage: its entries `stage-N`, and `.` for the newest surface.
// A package that has no entry for a stage offers what its newest earlier entry offers.
// Simplified: packages without stage entries are the same at every stage.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiReport, readApiReport } from './api-report.ts';

/** The reports of one package. */
export interface PackageSurfaces {
  readonly name: string;
  /** Report of `.`; empty when there is none. */
  readonly index: ApiReport;
  /** Reports by stage, in the order of the road. */
  readonly stages: ReadonlyMap<number, ApiReport>;
}

/** Reads every report below `packages/`, packages by name. */
export function readSurfaces(folder: string): PackageSurfaces[] {
  return readdirSync(join(folder, 'packages'))
    .filter((name) => existsSync(join(folder, 'packages', name, 'api')))
    .sort()
    .map((name) => {
      const apiFolder = join(folder, 'packages', name, 'api');
      const read = (file: string): ApiReport => readApiReport(readFileSync(join(apiFolder, file), 'utf8'));
      const stages = readdirSync(apiFolder)
        .flatMap((file) => /^stage-(\d+)[.]api[.]md$/.exec(file)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b)
        .map((stage): [number, ApiReport] => [stage, read(`stage-${stage}.api.md`)]);
      const index = existsSync(join(apiFolder, 'index.api.md')) ? read('index.api.md') : new Map();
      return { name, index, stages: new Map(stages) };
    });
}

/** Every stage that some package has an entry for, in order. */
export function stagesOf(surfaces: readonly PackageSurfaces[]): number[] {
  return [...new Set(surfaces.flatMap(({ stages }) => [...stages.keys()]))].sort((a, b) => a - b);
}

/** What a package offers at a stage; undefined before its first entry. */
export function surfaceAt({ stages }: PackageSurfaces, stage: number): ApiReport | undefined {
  const newest = [...stages.keys()].filter((entry) => entry <= stage).at(-1);
  return newest === undefined ? undefined : stages.get(newest);
}
