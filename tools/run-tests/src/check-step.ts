// One step of `npm test`: a command, and how its outcome is counted.
// A step that could not start, was killed or ended in an error counts as failed even when it counted no failure.
// Simplified: a step is one process; its output is kept in memory and shown when it failed.

import { spawn } from 'node:child_process';
import { type Counts, readCountLine } from './count-line.ts';

/** A command of the run. */
export interface CheckStep {
  /** What the progress line calls it. */
  readonly name: string;
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** `one`: the exit code is the whole result. `counted`: the command ends with a count line. */
  readonly result: 'one' | 'counted';
  /** Lines of its output that are shown when it passed, too. */
  readonly shows?: RegExp;
}

/** What a step came to. */
export interface StepOutcome {
  readonly counts: Counts;
  readonly output: string;
}

/** Where steps run. */
export interface StepWorld {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

function spawned(step: CheckStep, world: StepWorld): Promise<Ended> {
  const [program, ...args] = step.command;
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, {
      cwd: world.folder,
      env: world.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ status: null, output: `${output}${error.message}\n` }));
    child.on('close', (status, signal) => {
      resolve({ status, output: signal === null ? output : `${output}killed by ${signal}\n` });
    });
  });
}

/** The counts of an ended step: never without a failure when the command did not exit with 0. */
export function countStep(step: CheckStep, status: number | null, output: string): Counts {
  if (step.result === 'one') return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const counts = readCountLine(output);
  if (counts === undefined) return { passed: 0, failed: 1 };
  const silentFailure = (status !== 0 && counts.failed === 0) || counts.passed + counts.failed === 0;
  return silentFailure ? { passed: counts.passed, failed: 1 } : counts;
}

/** Runs one step to its end. */
export async function runStep(step: CheckStep, world: StepWorld): Promise<StepOutcome> {
  const { status, output } = await spawned(step, world);
  return { counts: countStep(step, status, output), output };
}
