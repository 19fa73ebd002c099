// The byte-level fuzzers as a program: `npm run -s fuzz:iommufd -- [RUNS] [SEED]`; without arguments 100000 and 1.
// RUNS single calls and a twentieth as many storms; a failure prints the seed and the smallest example.
// Simplified: one process.

import * as fc from 'fast-check';
import { fuzzedCall } from './mutate.ts';
import { SingleCalls } from './single-calls.ts';
import { storm, weather } from './storm.ts';

const [runs = 100_000, seed = 1] = process.argv.slice(2).map(Number);

const calls = new SingleCalls();
fc.assert(
  fc.property(fuzzedCall, (call) => calls.try(call)),
  { numRuns: runs, seed },
);
const answers = [...calls.answers].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`);
process.stdout.write(`${runs} calls: ${answers.join(', ')}\n`);
fc.assert(fc.property(storm, weather), { numRuns: Math.ceil(runs / 20), seed });
process.stdout.write(`${Math.ceil(runs / 20)} storms\n`);
