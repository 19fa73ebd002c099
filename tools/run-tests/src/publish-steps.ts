// The steps of `npm run check:publish`: every package is packed as it would be published, then three tools look at the file.
// publint reads the manifest, attw the types as consumers resolve them, the third what is in the file.
// Simplified: what is not marked private is published; a package without a `.` entry has no types for attw.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckStep } from './check-step.ts';

interface Manifest {
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

const one = (name: string, ...command: [string, ...string[]]): CheckStep => ({
  name,
  command,
  result: 'one',
});

/** The steps for every public package of the workspace at `folder`; the packed files are put into `output`. */
export function publishSteps(folder: string, output: string): CheckStep[] {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(folder, group))
      .sort()
      .flatMap((name) => packageSteps(folder, join(group, name), join(output, `${name}.tgz`))),
  );
}

function packageSteps(folder: string, path: string, tarball: string): CheckStep[] {
  const manifestPath = join(path, 'package.json');
  if (!existsSync(join(folder, manifestPath))) return [];
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, manifestPath), 'utf8'));
  if (manifest.private === true) return [];
  const steps = [
    one(`pack ${path}`, 'pnpm', '-C', path, 'pack', '--out', tarball),
    one(`packed files of ${path}`, 'tsx', 'tools/run-tests/src/packed-files-cli.ts', tarball, manifestPath),
    one(`publint ${path}`, 'publint', 'run', tarball, '--strict'),
  ];
  if (manifest.exports?.['.'] === undefined) return steps;
  return [
    ...steps,
    one(`attw ${path}`, 'attw', tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'),
  ];
}
