// BelowTree: a tree put below a path, so that a copy of a part of /sys stands where the whole would have it.
// Source followed: none.
// Simplified: the folders above the path hold nothing else.

import type { FileTree } from '@sgfree/topology';

/** `tree` as if its top were the folder `path`. */
export class BelowTree implements FileTree {
  readonly #tree: FileTree;
  readonly #path: string;

  constructor(tree: FileTree, path: string) {
    this.#tree = tree;
    this.#path = path;
  }

  list(path: string): readonly string[] | undefined {
    const inside = this.#inside(path);
    if (inside !== undefined) return this.#tree.list(inside);
    const prefix = path === '' ? '' : `${path}/`;
    if (!this.#path.startsWith(prefix)) return undefined;
    return [this.#path.slice(prefix.length).split('/')[0] ?? ''];
  }

  read(path: string): Uint8Array | undefined {
    const inside = this.#inside(path);
    return inside === undefined ? undefined : this.#tree.read(inside);
  }

  link(path: string): string | undefined {
    const inside = this.#inside(path);
    return inside === undefined ? undefined : this.#tree.link(inside);
  }

  #inside(path: string): string | undefined {
    if (path === this.#path) return '';
    return path.startsWith(`${this.#path}/`) ? path.slice(this.#path.length + 1) : undefined;
  }
}
