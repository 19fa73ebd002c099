import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('../../bootstrap.mjs', import.meta.url));

/** A folder with a lock file, the program, and an `npx` that says what it was asked and exits with `status`. */
function folderWithNpx(status: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-bootstrap-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'tools'));
  mkdirSync(join(folder, 'path'));
  cpSync(program, join(folder, 'tools/bootstrap.mjs'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "packageManager": "pnpm@1.2.3" }');
  writeFileSync(join(folder, 'pnpm-lock.yaml'), 'locked\n');
  writeFileSync(
    join(folder, 'path/npx'),
    `#!/bin/sh\necho "asked $*"\necho "level $npm_config_loglevel."\nexit ${status}\n`,
  );
  chmodSync(join(folder, 'path/npx'), 0o755);
  return folder;
}

function bootstrap(folder: string, ...args: string[]): SpawnSyncReturns<string> {
  const path = `${join(folder, 'path')}:/usr/bin:/bin`;
  const env = { ...process.env, PATH: path, npm_config_loglevel: 'silent' };
  return spawnSync(process.execPath, [join(folder, 'tools/bootstrap.mjs'), ...args], {
    encoding: 'utf8',
    env,
  });
}

function markInstalled(folder: string, lock: string): void {
  mkdirSync(join(folder, 'node_modules/.pnpm'), { recursive: true });
  mkdirSync(join(folder, 'node_modules/.bin'));
  writeFileSync(join(folder, 'node_modules/.pnpm/lock.yaml'), lock);
  writeFileSync(join(folder, 'node_modules/.bin/tsx'), '');
}

test('a folder without an install is installed with the pinned pnpm; stdout stays clean', () => {
  const { status, stdout, stderr } = bootstrap(folderWithNpx(0));
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(stderr).toContain('asked --yes pnpm@1.2.3 install --frozen-lockfile');
  expect(stderr).toContain('level .');
});

test('an install that equals the lock file is left alone, an older one is not, and --force always installs', () => {
  const folder = folderWithNpx(0);
  markInstalled(folder, 'locked\n');
  expect(bootstrap(folder)).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(bootstrap(folder, '--force').stderr).toContain('asked');
  writeFileSync(join(folder, 'pnpm-lock.yaml'), 'locked anew\n');
  expect(bootstrap(folder).stderr).toContain('asked');
});

test('a failed install passes its exit code on and is counted where counts are asked for', () => {
  const folder = folderWithNpx(7);
  expect(bootstrap(folder)).toMatchObject({ status: 7, stdout: '' });
  expect(bootstrap(folder, '--counted')).toMatchObject({ status: 7, stdout: '0 passed, 1 failed\n' });
});

test('a machine without npx fails with a reason', () => {
  const folder = folderWithNpx(0);
  rmSync(join(folder, 'path/npx'));
  const env = { ...process.env, PATH: join(folder, 'path') };
  const ran = spawnSync(process.execPath, [join(folder, 'tools/bootstrap.mjs'), '--counted'], {
    encoding: 'utf8',
    env,
  });
  expect(ran).toMatchObject({ status: 1, stdout: '0 passed, 1 failed\n' });
  expect(ran.stderr).toContain('npx did not start');
});
