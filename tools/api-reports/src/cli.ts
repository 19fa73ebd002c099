// `npm run api:check` and, with `--update`, `npm run api:update` as a program, for the reports.
// Each report is one check, the last line counts them. Only this file touches the process.
// Simplified: judges the workspace it lies in, or the folder given as its argument.

import { fileURLToPath } from 'node:url';
import { judgeReports } from './api-reports.ts';

const args = process.argv.slice(2);
const update = args.includes('--update');
const folder =
  args.find((arg) => !arg.startsWith('--')) ?? fileURLToPath(new URL('../../..', import.meta.url));
const verdicts = judgeReports(folder, update);
const failing = verdicts.filter(({ problems }) => problems.length > 0);
for (const { report, problems } of failing) process.stdout.write(`${report}\n  ${problems.join('\n  ')}\n`);
if (failing.length > 0 && !update)
  process.stdout.write('an intended change is recorded by npm run api:update\n');
process.stdout.write(`${verdicts.length - failing.length} passed, ${failing.length} failed\n`);
process.exitCode = failing.length === 0 && verdicts.length > 0 ? 0 : 1;
