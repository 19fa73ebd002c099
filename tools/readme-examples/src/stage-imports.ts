// Which entries the code of one stage may import: of a package with stages the newest that is not younger than the stage, by name.
// Simplified: entries that are no stage (`dma-buf/sgt`) and packages without stages are free.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The stages that a package below `packages` has an entry for. */
export function stagesOf(packages: string, name: string): number[] {
  const folder = join(packages, name, 'src');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((file) => /^stage-(\d)[.]ts$/.exec(file)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** What is wrong with the imports of `code`, which stands at `stage`. */
export function importProblems(packages: string, code: string, stage: number): string[] {
  return [...code.matchAll(/ from '@sgfree[/]([\w-]+)(?:[/]([\w-]+))?';/g)].flatMap(
    ([, name = '', entry = '']) => {
      const known = stagesOf(packages, name);
      if (known.length === 0 || (entry !== '' && !entry.startsWith('stage-'))) return [];
      const right = known.filter((candidate) => candidate <= stage).at(-1);
      return entry === `stage-${right}`
        ? []
        : [`imports ${name}/${entry || '.'} at stage ${stage}, not stage-${right}`];
    },
  );
}
