// The folder whose files the user means: npm goes to the folder of the workspace before it runs a script of it.
// Source followed: npm run-script: INIT_CWD is the folder in which npm was started; npm_package_json names the package whose script runs.
// Simplified: only for scripts of this workspace; in scripts of others, paths are those of their own folder, as npm has it.

import { dirname } from 'node:path';

const WORKSPACE = 'sgfree-workspace';

/** INIT_CWD where npm runs a script of the workspace in `current`, else `current`. */
export function invokedFolder(env: Readonly<Record<string, string | undefined>>, current: string): string {
  const { INIT_CWD: started, npm_package_name: name, npm_package_json: file } = env;
  const byScript = name === WORKSPACE && file !== undefined && dirname(file) === current;
  return byScript && started !== undefined && started !== '' ? started : current;
}
