// `npm run check:publish` as a program.
// Only this file touches the process; the steps are in `publish-steps.ts`.
// Simplified: the packages have been built before.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishSteps } from './publish-steps.ts';
import { runSteps } from './run-steps.ts';
import { stepWorld } from './step-world.ts';

const world = stepWorld();
const output = mkdtempSync(join(tmpdir(), 'sgfree-publish-'));
try {
  process.exitCode = await runSteps(publishSteps(world.folder, output), world, (text) =>
    process.stdout.write(text),
  );
} finally {
  rmSync(output, { recursive: true });
}
