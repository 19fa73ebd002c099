// `npm run check:floors` as a program: each rule is one check, the last line counts them.
// Only this file touches the process.
// Simplified: always judges the workspace it lies in, or the folder given as its one argument.

import { fileURLToPath } from 'node:url';
import { checkFloors, unjudged } from './check-floors.ts';
import { floorRuleSet } from './floor-rules.ts';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../..', import.meta.url));
const { modules, violations } = await checkFloors(folder);
const rules = [unjudged, ...floorRuleSet.map(({ name }) => name ?? '')];
const broken = new Set(violations.map(({ rule }) => rule));
for (const { rule, from, to } of violations) process.stdout.write(`${rule}: ${from} -> ${to}\n`);
process.stdout.write(`${modules} modules\n${rules.length - broken.size} passed, ${broken.size} failed\n`);
process.exitCode = broken.size === 0 ? 0 : 1;
