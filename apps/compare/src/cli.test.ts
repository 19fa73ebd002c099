// The program as a process: exit codes, streams, a reader that goes away.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const tsx = fileURLToPath(new URL('../../../node_modules/.bin/tsx', import.meta.url));
const cli = fileURLToPath(new URL('./cli.ts', import.meta.url));
const args = (...argv: string[]): string[] => ['--conditions=@sgfree/source', cli, ...argv];
const run = (argv: string[], input = '') => spawnSync(tsx, args(...argv), { encoding: 'utf8', input });

describe('the sgfree program', () => {
  it('exits 0 with the answer on standard output', () => {
    const { status, stdout, stderr } = run(['stages', '--json']);
    expect([status, stderr]).toEqual([0, '']);
    expect((JSON.parse(stdout) as { stages: unknown[] }).stages).toHaveLength(9);
  });

  it('exits 2 with a hint on standard error', () => {
    const { status, stdout, stderr } = run(['compare', '--jsn']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--json');
  });

  it('exits 2 with one line for a bad list on standard input', () => {
    const { status, stdout, stderr } = run(['compare', '--requests', '-'], '{"op":"read","pos":-512}\n');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe('sgfree: <stdin>:1: found pos = -512, expected at least 0\n');
  });

  it('exits 1 when a check fails', () => {
    const record = '{"op":"read","pos":0,"total":512,"iov":[[512,[["0x100000200",512]]]]}';
    const { status, stdout, stderr } = run(['compare', '-r', '-', '--plant', 'flipped-byte'], record);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^FAILED: stage 0: wrong bytes/);
  });

  it('reads the files of the folder in which npm was started', () => {
    const manifest = fileURLToPath(new URL('../../../package.json', import.meta.url));
    const root = dirname(manifest);
    const npm = { npm_package_json: manifest, npm_package_name: 'sgfree-workspace' };
    const env = { ...process.env, ...npm, INIT_CWD: join(root, 'docs') };
    const { status, stderr } = spawnSync(tsx, args('p2p', 'roadmap.md'), {
      encoding: 'utf8',
      cwd: root,
      env,
    });
    expect(status).toBe(2);
    expect(stderr).toContain('roadmap.md:1: found ');
  });

  it('prints the answer before it fails to write a file', () => {
    const record = '{"op":"read","pos":0,"total":512,"iov":[[512,[["0x100000200",512]]]]}';
    const { status, stdout, stderr } = run(['compare', '-r', '-', '--html', '/dev/full'], record);
    expect(status).toBe(2);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^OK/);
    expect(stderr).toMatch(/^sgfree: --html \/dev\/full: found [^\n]+\n$/);
  });

  it('ends quietly when its reader goes away', async () => {
    const child = spawn(tsx, args('stages', '--json'), { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });

  it('says in one line that its output has no room, without a stack trace', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(tsx, args('stages'), {
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^sgfree: the output cannot be written: ENOSPC[^\n]*\n$/);
  });
});
