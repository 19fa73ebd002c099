// Installs the workspace when it is not installed yet, so that Node and npm are all a clone needs.
// Plain JavaScript on purpose: it runs before anything that understands TypeScript exists.
// Everything it prints goes to stderr: the scripts behind it keep stdout for their own output. The one exception is
// `--counted`, for the scripts whose last line is a count: an install that failed is one failed check.
// Simplified: "installed" means that pnpm's record of the last install equals the lock file.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => (existsSync(root + path) ? readFileSync(root + path, 'utf8') : undefined);

const { packageManager } = JSON.parse(read('package.json'));
const installed =
  read('node_modules/.pnpm/lock.yaml') === read('pnpm-lock.yaml') &&
  existsSync(`${root}node_modules/.bin/tsx`);

// Nobody can answer a question here, so pnpm must not ask before it replaces an old `node_modules`.
const install = [
  '--yes',
  packageManager,
  'install',
  '--frozen-lockfile',
  '--prefer-offline',
  '--reporter=append-only',
  '--config.confirmModulesPurge=false',
];

// `npm run -s` silences what it starts, and an install that failed silently helps nobody.
const env = { ...process.env };
delete env.npm_config_loglevel;

if (!installed || process.argv.includes('--force')) {
  process.stderr.write(`installing the workspace with ${packageManager}\n`);
  const { status, error } = spawnSync('npx', install, { cwd: root, env, stdio: ['ignore', 2, 2] });
  if (error) process.stderr.write(`npx did not start: ${error.message}\n`);
  process.exitCode = status ?? 1;
  if (process.exitCode !== 0 && process.argv.includes('--counted')) {
    process.stdout.write('0 passed, 1 failed\n');
  }
}
