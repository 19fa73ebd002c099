// Runs a TypeScript program of this workspace from its sources:
// `node --conditions=@sgfree/source tools/run-source.mjs PROGRAM ARGUMENT...`, the program as seen from the workspace's folder.
// Plain JavaScript on purpose: the loader that understands TypeScript may have to be installed first, by `bootstrap.mjs`.
// One process does it all; `node bootstrap.mjs && tsx PROGRAM` starts three, which takes half a second longer.
// Simplified: none.

import { fileURLToPath } from 'node:url';

// Arguments are the program's, none is for `bootstrap.mjs`.
const [program, ...args] = process.argv.splice(2);
await import('./bootstrap.mjs');

if (!process.exitCode) {
  const { register } = await import('tsx/esm/api');
  register();
  const url = new URL(`../${program}`, import.meta.url);
  process.argv.splice(1, 1, fileURLToPath(url), ...args);
  await import(url.href);
}
