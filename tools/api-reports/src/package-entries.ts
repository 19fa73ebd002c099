// The entries of every package: each key of an exports map that has types, and the report it is written to.
// Source followed: the design's table of stage entries; `.` is reported as `index`, `./stage-1` as `stage-1`.
// Simplified: an exports map is a flat record of conditions, as the house writes it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One entry of one package. */
export interface PackageEntry {
  /** Folder name below `packages/`. */
  readonly packageName: string;
  /** `index`, `stage-1`, `sgt`. */
  readonly entry: string;
  /** The emitted declaration file, absolute. */
  readonly declarations: string;
  /** Where the report is committed, relative to the workspace. */
  readonly report: string;
}

interface Manifest {
  readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
}

/** The names of the packages of a workspace, sorted. */
export function packageNames(folder: string): string[] {
  return readdirSync(join(folder, 'packages'))
    .filter((name) => existsSync(join(folder, 'packages', name, 'package.json')))
    .sort();
}

/** Every entry of every package, `index` before the stages. */
export function packageEntries(folder: string): PackageEntry[] {
  return packageNames(folder).flatMap((packageName) => {
    const packageFolder = join(folder, 'packages', packageName);
    const manifest: Manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
    return Object.entries(manifest.exports ?? {}).flatMap(([key, target]) => {
      if (typeof target === 'string' || target.types === undefined) return [];
      const entry = key === '.' ? 'index' : key.replace('./', '');
      const report = `packages/${packageName}/api/${entry}.api.md`;
      return [{ packageName, entry, declarations: join(packageFolder, target.types), report }];
    });
  });
}
