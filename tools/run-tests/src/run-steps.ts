// The run: every step in order, a progress line for each, the counts of all as the very last line.
// No step stops the run: a later step may say more about what an earlier one only noticed.
// Simplified: one step at a time.

import { type CheckStep, runStep, type StepWorld } from './check-step.ts';
import { printCountLine } from './count-line.ts';

/** Runs the steps, prints to `out`, returns the exit code: 0 when nothing failed, else 1. */
export async function runSteps(
  steps: readonly CheckStep[],
  world: StepWorld,
  out: (text: string) => void,
): Promise<number> {
  let passed = 0;
  let failed = steps.length === 0 ? 1 : 0;
  const failedNames: string[] = [];
  for (const [index, step] of steps.entries()) {
    out(`[${index + 1}/${steps.length}] ${step.name} ... `);
    const started = performance.now();
    const { counts, output } = await runStep(step, world);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    passed += counts.passed;
    failed += counts.failed;
    if (counts.failed === 0) {
      out(`${counts.passed} passed (${seconds} s)\n${shownLines(step, output)}`);
    } else {
      failedNames.push(step.name);
      out(`FAILED: ${printCountLine(counts)} (${seconds} s)\n  ${step.command.join(' ')}\n`);
      out(`${output.trimEnd()}\n`);
    }
  }
  if (failedNames.length > 0) out(`failed: ${failedNames.join(', ')}\n`);
  out(`${printCountLine({ passed, failed })}\n`);
  return failed === 0 ? 0 : 1;
}

/** What a passed step shows: figures that a reader asks for though nothing failed. */
function shownLines({ shows }: CheckStep, output: string): string {
  if (shows === undefined) return '';
  const lines = output.split('\n').filter((line) => shows.test(line));
  return lines.map((line) => `  ${line}\n`).join('');
}
