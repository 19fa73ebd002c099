// A workspace of a few small packages in a temporary folder, to plant forbidden imports in.
// Linked as pnpm links the real one: packages/<p>/node_modules/@sgfree/<q> points to packages/<q>.
// Simplified: every package may resolve every other, so that only a rule can object.

import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Writes the files (path to text) and returns the folder. Packages are those with a file below `packages/<name>/`. */
export function plantedWorkspace(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-floors-'));
  const place = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, text] of Object.entries(files)) place(path, text);
  const names = new Set(Object.keys(files).flatMap((path) => /^packages\/([^/]+)\//.exec(path)?.[1] ?? []));
  for (const name of names) {
    const exportsMap = {
      '.': { '@sgfree/source': './src/index.ts', default: './dist/index.js' },
      './stage-1': { '@sgfree/source': './src/stage-1.ts', default: './dist/stage-1.js' },
      './iommufd': { '@sgfree/source': './src/iommufd.ts', default: './dist/iommufd.js' },
    };
    place(
      `packages/${name}/package.json`,
      JSON.stringify({ name: `@sgfree/${name}`, type: 'module', exports: exportsMap }),
    );
    mkdirSync(join(folder, 'packages', name, 'node_modules/@sgfree'), { recursive: true });
    for (const other of names) {
      if (other === name) continue;
      symlinkSync(`../../../${other}`, join(folder, 'packages', name, 'node_modules/@sgfree', other));
    }
  }
  return folder;
}
