// Archives of /sys, unpacked to memory with the machine's own bzip2; undefined where there is none.
// Node has no bzip2, and the project takes no package for a format that only these tests meet.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { FileTree } from '../src/index.ts';

interface Entry {
  readonly kind: 'file' | 'link' | 'folder';
  readonly bytes: Uint8Array;
  readonly target: string;
}

/** Whether this machine can unpack bzip2. */
export const hasBzip2: boolean = spawnSync('bzip2', ['--help']).status === 0;

const field = (block: Buffer, at: number, length: number): string =>
  block.toString('latin1', at, at + length).replace(/\0.*$/s, '');

/** The archive as a tree. */
export function bzip2Tree(path: string): FileTree {
  const { stdout } = spawnSync('bzip2', ['-dc'], { input: readFileSync(path), maxBuffer: 2 ** 30 });
  const entries = new Map<string, Entry>();
  let longName = '';
  for (let at = 0; at + 512 <= stdout.length && stdout[at] !== 0; ) {
    const header = stdout.subarray(at, at + 512);
    const size = Number.parseInt(field(header, 124, 12) || '0', 8);
    const kind = field(header, 156, 1);
    const bytes = stdout.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    if (kind === 'L') {
      longName = bytes.toString('latin1').replace(/\0.*$/s, '');
      continue;
    }
    const prefix = field(header, 345, 155);
    const name = longName || (prefix === '' ? '' : `${prefix}/`) + field(header, 0, 100);
    longName = '';
    keep(entries, name.replace(/\/$/, ''), kind, bytes, field(header, 157, 100));
  }
  return treeOf(entries);
}

function keep(
  entries: Map<string, Entry>,
  name: string,
  kind: string,
  bytes: Uint8Array,
  target: string,
): void {
  entries.set(name, { kind: kind === '5' ? 'folder' : kind === '2' ? 'link' : 'file', bytes, target });
}

function treeOf(entries: ReadonlyMap<string, Entry>): FileTree {
  const folders = new Map<string, Set<string>>();
  for (const path of entries.keys()) {
    const parts = path.split('/');
    parts.forEach((part, depth) => {
      const folder = parts.slice(0, depth).join('/');
      folders.set(folder, (folders.get(folder) ?? new Set()).add(part));
    });
  }
  return {
    list: (path) => (folders.has(path) ? [...(folders.get(path) ?? [])] : undefined),
    read: (path) => (entries.get(path)?.kind === 'file' ? entries.get(path)?.bytes : undefined),
    link: (path) => (entries.get(path)?.kind === 'link' ? entries.get(path)?.target : undefined),
  };
}
