// The program as a process: what it does when its output goes nowhere.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const tsx = fileURLToPath(new URL('../../../node_modules/.bin/tsx', import.meta.url));
const cli = fileURLToPath(new URL('./cli.ts', import.meta.url));
const unknownSuite = '{"suite":"never recorded"}\n{"op":"idle"}\n';

test('a full output ends the run at its first line, without a stack trace', () => {
  const folder = temporaryFolder({ 'a.jsonl': unknownSuite, 'b.jsonl': unknownSuite });
  const full = openSync('/dev/full', 'w');
  const argv = ['--conditions=@sgfree/source', cli, '--vectors', folder];
  const { status, stderr } = spawnSync(tsx, argv, { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^conformance: the output cannot be written: ENOSPC[^\n]*\n$/);
});
