// Judges one packed package: `tsx packed-files-cli.ts FILE.tgz MANIFEST`; exit 1 with the reasons when it is not fit.
// Only this file touches the process.
// Simplified: a step of `npm run check:publish`, not meant to be called by hand.

import { readFileSync } from 'node:fs';
import { packedFiles, packingProblems } from './packed-files.ts';

const [tarball = '', manifest = ''] = process.argv.slice(2);
const problems = packingProblems(packedFiles(tarball), JSON.parse(readFileSync(manifest, 'utf8')));
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
