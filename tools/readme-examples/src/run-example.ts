// Runs an example as a user of the package would: as a module of its own that imports the package by name.
// Simplified: it runs on the sources (condition `@sgfree/source`) and inside the package's folder, where its name resolves.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const tsx = fileURLToPath(new URL('../node_modules/.bin/tsx', import.meta.url));

/** What the example printed; throws with its error output when it did not end with exit code 0. */
export function runExample(code: string, packageFolder: string): string {
  const args = ['--conditions=@sgfree/source', '--input-type=module', '--eval', code];
  const { status, stdout, stderr } = spawnSync(tsx, args, { cwd: packageFolder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
