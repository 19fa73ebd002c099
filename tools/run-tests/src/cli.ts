// `npm test` and `npm run check` as a program; the latter passes `--publish`.
// Only this file touches the process; everything else is in `run-steps.ts`.
// Simplified: a crash of this program itself is one more failure, so that the last line is always a count.

import { printCountLine } from './count-line.ts';
import { runSteps } from './run-steps.ts';
import { stepWorld } from './step-world.ts';
import { checkOnlySteps, testSteps } from './steps.ts';

const steps = process.argv.includes('--publish') ? [...testSteps, ...checkOnlySteps] : testSteps;

try {
  process.exitCode = await runSteps(steps, stepWorld(), (text) => process.stdout.write(text));
} catch (error) {
  process.stdout.write(`${String(error)}\n${printCountLine({ passed: 0, failed: 1 })}\n`);
  process.exitCode = 1;
}
