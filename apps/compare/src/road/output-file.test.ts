// A file that is there whole or not at all, whatever stands in its place: a file, a symbolic link, a pipe.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { quietWorld } from '../../test/run-command.ts';
import { InputError } from '../request-list/input-error.ts';
import { OutputFile } from './output-file.ts';
import { RoadOutputs } from './road-outputs.ts';

let folder = '';
const inFolder = (name: string): string => join(folder, name);
const written = (path: string, content: string): void => new OutputFile('--html', path).write(content);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sgfree-output-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('an old file stays as it is until the new one is whole', () => {
  const path = inFolder('page');
  writeFileSync(path, 'old');
  const file = new OutputFile('--html', path);
  expect(readFileSync(path, 'utf8')).toBe('old');
  file.close();
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old', ['page']]);
  written(path, 'new');
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['new', ['page']]);
});

it('a symbolic link stays one: the file that it names is written', () => {
  writeFileSync(inFolder('page'), 'old');
  symlinkSync(inFolder('page'), inFolder('link'));
  written(inFolder('link'), 'new');
  expect(lstatSync(inFolder('link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(inFolder('page'), 'utf8')).toBe('new');
});

it('a pipe is written to, and stays a pipe', () => {
  const path = inFolder('pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  written(path, 'new');
  const found = Buffer.alloc(8);
  expect(found.toString('utf8', 0, readSync(reader, found))).toBe('new');
  closeSync(reader);
  expect([lstatSync(path).isFIFO(), readdirSync(folder)]).toEqual([true, ['pipe']]);
});

it('nothing is left of the first of two files when the second cannot be written', () => {
  const options = { html: inFolder('page'), perfetto: inFolder('none/trace') };
  expect(() => new RoadOutputs(quietWorld(), options)).toThrow(InputError);
  expect(readdirSync(folder)).toEqual([]);
});
