// A folder of this machine as a FileTree, for tests.

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { FileTree } from '../src/index.ts';

const orUndefined = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/** The folder `root`. */
export const folderTree = (root: string): FileTree => ({
  list: (path) => orUndefined(() => readdirSync(join(root, path))),
  read: (path) => orUndefined(() => readFileSync(join(root, path))),
  link: (path) =>
    orUndefined(() =>
      lstatSync(join(root, path)).isSymbolicLink() ? readlinkSync(join(root, path)) : undefined,
    ),
});
