// Where steps run: the root of the workspace, with the programs of the workspace first on the PATH.
// Simplified: turbo and publint look for pnpm on the PATH; this is how they find the one the workspace pins.

import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StepWorld } from './check-step.ts';

/** The workspace this file lies in. */
export function stepWorld(): StepWorld {
  const folder = fileURLToPath(new URL('../../..', import.meta.url));
  const binaries = fileURLToPath(new URL('../../../node_modules/.bin', import.meta.url));
  return { folder, env: { ...process.env, PATH: `${binaries}${delimiter}${process.env['PATH'] ?? ''}` } };
}
