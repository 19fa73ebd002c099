// `npm run api:check` and, with `--update`, `npm run api:update` as a program, for the ledger and the step pages.
// Each page is one check, and so are the notes; the last line counts them. Only this file touches the process.
// Simplified: judges the workspace it lies in, or the folder given as its argument.

import { fileURLToPath } from 'node:url';
import { judgePages } from './api-ledger.ts';

const args = process.argv.slice(2);
const update = args.includes('--update');
const folder =
  args.find((arg) => !arg.startsWith('--')) ?? fileURLToPath(new URL('../../..', import.meta.url));
const verdicts = judgePages(folder, update);
const failing = verdicts.filter(({ problems }) => problems.length > 0);
for (const { page, problems } of failing) process.stdout.write(`${page}\n  ${problems.join('\n  ')}\n`);
process.stdout.write(`${verdicts.length - failing.length} passed, ${failing.length} failed\n`);
process.exitCode = failing.length === 0 ? 0 : 1;
