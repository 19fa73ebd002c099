// The fuzzer of the trace reader as a program: `npm run -s fuzz:trace -- [--minutes N] [--seed N]`.
// Rounds of mutated traces, each with a seed of its own, until the time is over. The first trace that breaks an
// invariant is shrunk and printed with its seed, and the exit status is 1; bad usage is 2.
// Simplified: one process.

import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { fuzzCases } from './recorded-lines.ts';
import { requireInvariants, type TraceCase, textOfCase } from './trace-mutation.ts';

const ROUND = 500;

function wholeNumber(text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new TypeError(`${text} is no whole number from ${least} on`);
  return value;
}

function options(argv: readonly string[]): { minutes: number; seed: number } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  });
  return { minutes: wholeNumber(values.minutes, 1), seed: wholeNumber(values.seed, 0) };
}

function report(failure: fc.RunDetails<[TraceCase]>): void {
  const [shrunk] = failure.counterexample ?? [];
  process.stdout.write(
    `${failure.errorInstance instanceof Error ? failure.errorInstance.message : 'failed'}\n`,
  );
  if (shrunk === undefined) return;
  const { cuts, maxLineBytes } = shrunk;
  process.stdout.write(`cuts ${JSON.stringify(cuts)}, lines of at most ${maxLineBytes} bytes:\n`);
  process.stdout.write(`${JSON.stringify(new TextDecoder('latin1').decode(textOfCase(shrunk)))}\n`);
}

function fuzz({ minutes, seed }: { minutes: number; seed: number }): number {
  const property = fc.property(fuzzCases(), requireInvariants);
  const stop = Date.now() + minutes * 60_000;
  let runs = 0;
  for (let round = seed; Date.now() < stop; round += 1) {
    const result = fc.check(property, { seed: round, numRuns: ROUND });
    runs += result.numRuns;
    if (!result.failed) continue;
    report(result);
    process.stdout.write(`${runs - 1} passed, 1 failed; again with --seed ${round}\n`);
    return 1;
  }
  process.stdout.write(`${runs} passed, 0 failed; seeds from ${seed} on\n`);
  return 0;
}

try {
  process.exitCode = fuzz(options(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`fuzz-trace: ${error.message}\n`);
  process.exitCode = 2;
}
