// FolderTree: a folder of the file system as the readers see it.
// Source followed: readdir(2), readlink(2) and stat(2); what cannot be read is not there, as for a user without rights.
// Only plain files are read, and never waited for: a pipe, a device, or a log of the kernel would never end.
// Simplified: a file of more than 64 MiB is not there either; /sys and /proc hold none.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FileTree } from '@sgfree/topology';

const MOST_FILE_BYTES = 2 ** 26;
const PART_BYTES = 2 ** 14;

/** The folder at `top`; what it holds is read when it is asked for. */
export class FolderTree implements FileTree {
  readonly #top: string;

  constructor(top: string) {
    this.#top = top;
  }

  list(path: string): readonly string[] | undefined {
    return orNothing(() => readdirSync(join(this.#top, path)));
  }

  read(path: string): Uint8Array | undefined {
    const at = join(this.#top, path);
    return orNothing(() => {
      const descriptor = openSync(at, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return fstatSync(descriptor).isFile() ? wholeFile(descriptor) : undefined;
      } finally {
        closeSync(descriptor);
      }
    });
  }

  link(path: string): string | undefined {
    const at = join(this.#top, path);
    return orNothing(() => (lstatSync(at).isSymbolicLink() ? readlinkSync(at) : undefined));
  }
}

/** All bytes; the size that the system gives is no measure, since files of /proc have none. */
function wholeFile(descriptor: number): Uint8Array | undefined {
  if (fstatSync(descriptor).size > MOST_FILE_BYTES) return undefined;
  const parts: Uint8Array[] = [];
  for (let total = 0; total <= MOST_FILE_BYTES; ) {
    const part = new Uint8Array(PART_BYTES);
    const count = readSync(descriptor, part);
    if (count === 0) return Buffer.concat(parts, total);
    parts.push(part.subarray(0, count));
    total += count;
  }
  return undefined;
}

function orNothing<T>(ask: () => T | undefined): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
