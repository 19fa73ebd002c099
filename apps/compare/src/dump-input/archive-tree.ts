// ArchiveTree: a tar archive as a tree of files, held in memory.
// Source followed: POSIX pax archives as the library `modern-tar` reads them.
// A name that leaves the archive (`..`) is left out: nothing is ever written, but a reader must not be led astray.
// Simplified: of several entries with one name the last one counts; hard links show the bytes of what they link to.

import type { FileTree } from '@sgfree/topology';
import { unpackTar } from 'modern-tar';
import { InputError } from '../request-list/input-error.ts';

type Node = Map<string, Node> | Uint8Array | { readonly target: string };

/** The most entries that an archive may hold: a copy of /sys holds tens of thousands. */
export const MOST_ENTRIES: number = 500_000;

/** A tar archive. */
export class ArchiveTree implements FileTree {
  readonly #top: Map<string, Node> = new Map();

  list(path: string): readonly string[] | undefined {
    const node = this.#at(path);
    return node instanceof Map ? [...node.keys()] : undefined;
  }

  read(path: string): Uint8Array | undefined {
    const node = this.#at(path);
    return node instanceof Uint8Array ? node : undefined;
  }

  link(path: string): string | undefined {
    const node = this.#at(path);
    return node === undefined || node instanceof Map || node instanceof Uint8Array ? undefined : node.target;
  }

  /** Puts an entry in its place; false when it has none. */
  add(name: string, node: Uint8Array | { readonly target: string } | 'folder'): boolean {
    const parts = partsOf(name);
    if (parts === undefined) return false;
    const last = node === 'folder' ? undefined : parts.pop();
    const folder = this.#folder(parts);
    if (last !== undefined && node !== 'folder') folder?.set(last, node);
    return folder !== undefined;
  }

  /** The folder at `parts`, made where there is none; undefined when a file is in the way. */
  #folder(parts: readonly string[]): Map<string, Node> | undefined {
    let at = this.#top;
    for (const part of parts) {
      const next = at.get(part) ?? new Map<string, Node>();
      if (!(next instanceof Map)) return undefined;
      at.set(part, next);
      at = next;
    }
    return at;
  }

  #at(path: string): Node | undefined {
    let at: Node | undefined = this.#top;
    for (const part of path === '' ? [] : path.split('/')) {
      at = at instanceof Map ? at.get(part) : undefined;
    }
    return at;
  }
}

/** The names of a path inside an archive; undefined when it leaves it or is the top. */
function partsOf(name: string): string[] | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? undefined : parts;
}

/** Reads the archive `name`; rejects when it is damaged, with {@link InputError} when it holds too many entries. */
export async function readArchive(name: string, bytes: Uint8Array): Promise<ArchiveTree> {
  const tree = new ArchiveTree();
  let entries = 0;
  const filter = (): boolean => {
    entries += 1;
    if (entries <= MOST_ENTRIES) return true;
    throw new InputError(name, 0, `an archive of more than ${MOST_ENTRIES} entries`, 'a copy of /sys');
  };
  for (const { header, data } of await unpackTar(bytes, { strict: true, filter })) {
    if (header.type === 'directory') tree.add(header.name, 'folder');
    else if (header.type === 'symlink') tree.add(header.name, { target: header.linkname ?? '' });
    else if (header.type === 'link') addHardLink(tree, header.name, header.linkname ?? '');
    else if (data !== undefined) tree.add(header.name, data);
  }
  return tree;
}

function addHardLink(tree: ArchiveTree, name: string, target: string): void {
  const bytes = tree.read((partsOf(target) ?? []).join('/'));
  if (bytes !== undefined) tree.add(name, bytes);
}

const MAGIC_AT = 257;
const CHECKSUM_AT = 148;
const HEADER_BYTES = 512;

/** Whether the bytes begin as a tar archive does: with the magic of POSIX, or as before POSIX with the right checksum. */
export const isTar = (bytes: Uint8Array): boolean =>
  ascii(bytes, MAGIC_AT, 5) === 'ustar' || hasOldHeader(bytes);

/** The sum of the header's bytes, with blanks in the place of the sum itself. */
function hasOldHeader(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const header = Uint8Array.from(bytes.subarray(0, HEADER_BYTES)).fill(0x20, CHECKSUM_AT, CHECKSUM_AT + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  return Number.parseInt(ascii(bytes, CHECKSUM_AT, 8).trim(), 8) === sum;
}

const ascii = (bytes: Uint8Array, at: number, count: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + count));
