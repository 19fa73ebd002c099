import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const tools = fileURLToPath(new URL('../../', import.meta.url));

test('a program runs from its sources, with its own arguments and its own exit code', {
  timeout: 60_000,
}, () => {
  const run = (...args: string[]): unknown => {
    const argv = ['--conditions=@sgfree/source', join(tools, 'run-source.mjs'), 'apps/compare/src/cli.ts'];
    return spawnSync(process.execPath, [...argv, ...args], { encoding: 'utf8' });
  };
  expect(run('--version')).toMatchObject({ status: 0, stdout: '0.0.0\n', stderr: '' });
  // `--force` and `--counted` would mean something to the installer.
  expect(run('stages', '--force', '--counted')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(/^sgfree: --force: found an unknown option/),
  });
});

test('nothing runs after an install that failed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-run-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'tools'));
  for (const name of ['run-source.mjs', 'bootstrap.mjs'])
    cpSync(join(tools, name), join(folder, 'tools', name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "packageManager": "pnpm@1.2.3" }');
  writeFileSync(join(folder, 'pnpm-lock.yaml'), 'locked\n');
  writeFileSync(join(folder, 'program.ts'), 'console.log("ran");\n');
  const ran = spawnSync(process.execPath, [join(folder, 'tools/run-source.mjs'), 'program.ts'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: folder },
  });
  expect(ran).toMatchObject({ status: 1, stdout: '' });
  expect(ran.stderr).toMatch(/npx did not start: [^\n]*\n$/);
});
