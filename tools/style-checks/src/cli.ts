// `npm run check:style` as a program: each rule is one check, the last line counts them.
// Only this file touches the process.
// Simplified: always judges the workspace it lies in.

import { fileURLToPath } from 'node:url';
import { readSourceTree } from './source-tree.ts';
import { styleRules } from './style-rules.ts';

const tree = readSourceTree(fileURLToPath(new URL('../../../tsconfig.check.json', import.meta.url)));
let failed = tree.sources.length === 0 ? 1 : 0;
for (const rule of styleRules) {
  const findings = rule.find(tree);
  if (findings.length > 0) failed += 1;
  for (const { path, line, message } of findings) {
    process.stdout.write(`${rule.name}: ${path}:${line}: ${message}\n`);
  }
}
process.stdout.write(
  `${tree.sources.length} files\n${styleRules.length - failed} passed, ${failed} failed\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
