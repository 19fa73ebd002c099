// WithinTree: a tree as it looks from a folder inside, so that an archive of a folder reads as the folder itself.
// Source followed: tar(1): `tar cf machine.tar machine` puts everything below `machine`, `tar cf machine.tar .` does not.
// Simplified: links that lead out of the folder lead nowhere.

import { type FileTree, parsePciAddress } from '@sgfree/topology';

/** Folders that say by their names what they are. */
const NAMED: ReadonlySet<string> = new Set(['sys', 'proc', 'bus', 'devices']);

class WithinTree implements FileTree {
  readonly #tree: FileTree;
  readonly #folder: string;

  constructor(tree: FileTree, folder: string) {
    this.#tree = tree;
    this.#folder = folder;
  }

  list(path: string): readonly string[] | undefined {
    return this.#tree.list(this.#outside(path));
  }

  read(path: string): Uint8Array | undefined {
    return this.#tree.read(this.#outside(path));
  }

  link(path: string): string | undefined {
    return this.#tree.link(this.#outside(path));
  }

  #outside(path: string): string {
    return path === '' ? this.#folder : `${this.#folder}/${path}`;
  }
}

/** `tree` from inside the folders that stand alone at its top. */
export function withinTops(tree: FileTree): FileTree {
  const tops: string[] = [];
  for (;;) {
    const [top, ...others] = tree.list(tops.join('/')) ?? [];
    if (top === undefined || others.length > 0 || NAMED.has(top)) break;
    if (parsePciAddress(top) !== undefined || tree.list([...tops, top].join('/')) === undefined) break;
    tops.push(top);
  }
  return tops.length === 0 ? tree : new WithinTree(tree, tops.join('/'));
}
