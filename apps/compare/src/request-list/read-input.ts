// Reading a request list: a file, plain or gzip-compressed, or standard input.
// Source followed: none; gzip is recognised by its first two bytes, whatever the name says.
// Simplified: the whole list is held in memory; 256 MiB of text is the limit.

import { closeSync, openSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { readToEnd } from './bounded-read.ts';
import { InputError } from './input-error.ts';

const MOST_BYTES = 2 ** 28;
const MOST_TEXT = 'at most 256 MiB';
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'a file this user may not read',
  EPERM: 'a file this user may not read',
  EISDIR: 'a directory',
  ENOTDIR: 'a path through something that is not a directory',
  ELOOP: 'a loop of symbolic links',
  ENAMETOOLONG: 'a name that is too long',
  ENXIO: 'a file that cannot be opened for reading',
  ERR_INVALID_ARG_VALUE: 'a name that no file can have',
};

/** Standard input as the reader sees it: all of it, or null when it is longer than `most` bytes. */
export type ReadStdin = (most: number) => Uint8Array | null;

/** The text of a request list; `-` means standard input. Throws {@link InputError}. */
export function readInput(
  path: string,
  readStdin: ReadStdin,
): { readonly name: string; readonly text: string } {
  const name = path === '-' ? '<stdin>' : path || '""';
  return { name, text: decoded(name, unpacked(name, bytesOf(path, name, readStdin))) };
}

function bytesOf(path: string, name: string, readStdin: ReadStdin): Uint8Array {
  let bytes: Uint8Array | null;
  try {
    bytes = path === '-' ? readStdin(MOST_BYTES) : readFile(path);
  } catch (error) {
    throw unreadable(name, error, 'a readable request list');
  }
  if (bytes === null) throw new InputError(name, 0, 'more than 256 MiB', MOST_TEXT);
  return bytes;
}

/** The input error for what the system reported about file `name`. */
export function unreadable(name: string, error: unknown, expected: string): InputError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return new InputError(name, 0, REASONS[code] ?? `an error (${code})`, expected);
}

function readFile(path: string): Uint8Array | null {
  const descriptor = openSync(path, 'r');
  try {
    return readToEnd(descriptor, MOST_BYTES);
  } finally {
    closeSync(descriptor);
  }
}

function unpacked(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new InputError(name, 0, 'gzip data of more than 256 MiB', MOST_TEXT);
    }
    throw new InputError(name, 0, `damaged gzip data (${code})`, 'gzip data of a request list');
  }
}

function decoded(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new InputError(name, 0, 'bytes that are not UTF-8 text', 'one JSON object a line');
  }
}
