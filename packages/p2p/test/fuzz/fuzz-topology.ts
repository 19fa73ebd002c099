// The fuzzer of the machine readers as a program: `npm run -s fuzz:topology -- [--minutes N] [--runs N] [--seed N]`.
// Rounds of damaged dumps, each with a seed of its own, until the time or the number of runs is over. The first dump that
// breaks an invariant is shrunk line by line and printed with its seed, and the exit status is 1; bad usage is 2.
// Simplified: one process.

import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { fewerLines } from './fewer-lines.ts';
import { caseText, type FuzzCase, failureOf, fuzzCases, type KnownDumps } from './fuzz-case.ts';
import { ownDumps, publishedDumps } from './known-dumps.ts';

const ROUND = 200;

interface Options {
  readonly minutes: number;
  readonly runs: number;
  readonly seed: number;
}

function wholeNumber(text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new TypeError(`${text} is no whole number from ${least} on`);
  return value;
}

function options(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      minutes: { type: 'string', default: '1' },
      runs: { type: 'string', default: String(Number.MAX_SAFE_INTEGER) },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    },
  });
  const { minutes, runs, seed } = values;
  return { minutes: wholeNumber(minutes, 1), runs: wholeNumber(runs, 1), seed: wholeNumber(seed, 0) };
}

function report(known: KnownDumps, found: FuzzCase, seed: number, passed: number): void {
  const { lines, message } = fewerLines(known, found);
  process.stdout.write(`${message}\n${JSON.stringify(found)}\n`);
  process.stdout.write(`${lines.length} lines are left of ${known[found.dump]?.name ?? ''}:\n`);
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
  process.stdout.write(`${passed} passed, 1 failed; again with --seed ${seed}\n`);
}

function fuzz({ minutes, runs, seed }: Options): number {
  const known: KnownDumps = [...ownDumps(), ...publishedDumps()];
  const property = fc.property(
    fuzzCases(known),
    (fuzzed) => failureOf(fuzzed, caseText(known, fuzzed)) === undefined,
  );
  const stop = Date.now() + minutes * 60_000;
  let passed = 0;
  for (let round = seed; Date.now() < stop && passed < runs; round += 1) {
    const result = fc.check(property, { seed: round, numRuns: Math.min(ROUND, runs - passed) });
    passed += result.numRuns;
    const [found] = result.counterexample ?? [];
    if (found === undefined) continue;
    report(known, found, round, passed - 1);
    return 1;
  }
  process.stdout.write(`${passed} passed, 0 failed; seeds from ${seed} on\n`);
  return 0;
}

try {
  process.exitCode = fuzz(options(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`fuzz-topology: ${error.message}\n`);
  process.exitCode = 2;
}
