// A file that is there whole or not at all, whatever stands in its place: a file, a symbolic link, a pipe.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { quietWorld } from '../../test/run-command.ts';
import { InputError } from '../request-list/input-error.ts';
import { ComparisonOutputs } from './comparison-outputs.ts';
import { OutputFile } from './output-file.ts';

let folder = '';
const inFolder = (name: string): string => join(folder, name);
const written = async (path: string, content: string): Promise<void> =>
  await new OutputFile('--html', path).write(content);
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgfree-output-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('an old file stays as it is until the new one is whole', async () => {
  const path = inFolder('page');
  writeFileSync(path, 'old');
  const file = new OutputFile('--html', path);
  expect(readFileSync(path, 'utf8')).toBe('old');
  file.close();
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old', ['page']]);
  await written(path, 'new');
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['new', ['page']]);
});

it('a symbolic link stays one: the file that it names is written', async () => {
  writeFileSync(inFolder('page'), 'old');
  symlinkSync(inFolder('page'), inFolder('link'));
  await written(inFolder('link'), 'new');
  expect(lstatSync(inFolder('link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(inFolder('page'), 'utf8')).toBe('new');
});

it('a pipe is written to, and stays a pipe', async () => {
  const path = inFolder('pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  await written(path, 'new');
  const found = Buffer.alloc(8);
  expect(found.toString('utf8', 0, readSync(reader, found))).toBe('new');
  closeSync(reader);
  expect([lstatSync(path).isFIFO(), readdirSync(folder)]).toEqual([true, ['pipe']]);
});

it('nothing is left of the first of two files when the second cannot be written', () => {
  const options = { html: inFolder('page'), perfetto: inFolder('none/trace') };
  expect(() => new ComparisonOutputs(quietWorld(), options)).toThrow(InputError);
  expect(readdirSync(folder)).toEqual([]);
});

it('nothing is there before there is something to write', () => {
  const file = new OutputFile('--html', inFolder('page'));
  expect(readdirSync(folder)).toEqual([]);
  file.close();
  expect(readdirSync(folder)).toEqual([]);
});

it.each([0o600, 0o640, 0o644, 0o777])('what replaces a file of mode %o has its mode', async (mode) => {
  const path = inFolder('page');
  writeFileSync(path, 'old');
  chmodSync(path, mode);
  await written(path, 'new');
  expect([readFileSync(path, 'utf8'), modeOf(path)]).toEqual(['new', mode]);
});

it('a new file has the mode that others have', async () => {
  writeFileSync(inFolder('other'), '');
  await written(inFolder('page'), 'new');
  expect(modeOf(inFolder('page'))).toBe(modeOf(inFolder('other')));
});

it('one file named twice is refused, by whatever names, but a device is not', () => {
  const html = inFolder('page');
  symlinkSync(folder, inFolder('link'));
  for (const perfetto of [html, inFolder('./page'), inFolder('link/page')])
    expect(() => new ComparisonOutputs(quietWorld(), { html, perfetto })).toThrow(InputError);
  new ComparisonOutputs(quietWorld(), { html: '/dev/null', perfetto: '/dev/null' }).close();
});

it('a file that may not be written to is not replaced, though the folder would let it', () => {
  const path = inFolder('page');
  writeFileSync(path, 'old');
  chmodSync(path, 0o444);
  chmodSync(folder, 0o777);
  // No file refuses root: the test becomes nobody for a moment.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    expect(() => new OutputFile('--html', path)).toThrow(InputError);
  } finally {
    if (root) process.seteuid?.(0);
  }
  expect([readFileSync(path, 'utf8'), modeOf(path), readdirSync(folder)]).toEqual(['old', 0o444, ['page']]);
});

it('the owner of a file stays its owner, as far as the writer may decide', async () => {
  const path = inFolder('page');
  writeFileSync(path, 'old');
  if (process.geteuid?.() === 0) chownSync(path, 65_534, 65_534);
  const { uid, gid } = statSync(path);
  await written(path, 'new');
  expect([statSync(path).uid, statSync(path).gid]).toEqual([uid, gid]);
});
