// `npm run check:reachability` as a program: each rule is one check, the last line counts them.
// Only this file touches the process.
// Simplified: always judges the workspace it lies in, or the folder given as its one argument.

import { fileURLToPath } from 'node:url';
import { checkReach } from './check-reach.ts';
import { lastStageRules } from './last-stage-rules.ts';
import { reachRules } from './reach-rules.ts';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../..', import.meta.url));
const rules = [...reachRules, ...lastStageRules(folder)];
const verdicts = rules.map((rule) => checkReach(folder, rule));
const passed = verdicts.filter((verdict) => verdict.passed).length;
for (const { lines } of verdicts) process.stdout.write(`${lines.join('\n')}\n`);
process.stdout.write(`${passed} passed, ${verdicts.length - passed} failed\n`);
process.exitCode = passed === verdicts.length ? 0 : 1;
