// OutputFile: a file that is there whole or not at all: written beside its place, then renamed into it.
// Source followed: rename(2): readers see the old file or the new one. What takes the place of a file keeps its mode and
// owner; a file that its user may not write to is not replaced either, though rename(2) would ask the folder alone.
// Nothing is made before there is something to write, so that whoever ends the program earlier leaves nothing behind.
// Simplified: what is no regular file (a pipe, a device) is written to as it is; access control lists are not kept.

import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../request-list/input-error.ts';
import { uninterrupted } from './uninterrupted.ts';

/** A file to be, looked at before the work begins: a place that cannot be written to costs no time. */
export class OutputFile {
  /** Where the file will lie, without symbolic links. */
  readonly place: string;
  readonly #option: string;
  /** The pipe or device at the place; null where a regular file is or will be, and when it was closed. */
  #fd: number | null = null;

  /** Throws {@link InputError} of `option` where nothing can be written. */
  constructor(option: string, path: string) {
    this.#option = option;
    this.place = this.#trying(() => placeOf(path));
    this.#fd = this.#trying(() => opened(this.place));
  }

  /** True where a file is or will be, not a pipe or a device. */
  get regular(): boolean {
    return this.#fd === null;
  }

  /** Writes everything and puts it into its place; to be called once. Rejects with {@link InputError}. */
  async write(content: string | Uint8Array): Promise<void> {
    const fd = this.#fd;
    if (fd !== null) this.#trying(() => writeFileSync(fd, content));
    else await uninterrupted(() => this.#trying(() => putInto(this.place, content)));
  }

  /** Lets go of a pipe or device. */
  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #trying<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code = 'an error' } = error as NodeJS.ErrnoException;
      throw new InputError(this.#option, 0, `a file that cannot be written (${code})`, 'a place to write to');
    }
  }
}

/** Where a name leads, by symbolic links. */
function placeOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
}

const found = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

/** The pipe or device at `path`; null for a file, which is only looked at. Throws what the system reports. */
function opened(path: string): number | null {
  const old = found(path);
  if (old !== undefined && !old.isFile()) return openSync(path, 'w');
  // Opened and closed again: that asks about the file itself, and changes nothing in it.
  if (old !== undefined) closeSync(openSync(path, constants.O_WRONLY));
  accessSync(dirname(path), constants.W_OK | constants.X_OK);
  return null;
}

/** Writes a draft beside the place and renames it; nothing of it stays when that fails. */
function putInto(path: string, content: string | Uint8Array): void {
  const old = found(path);
  const draft = join(dirname(path), `.sgfree-${randomUUID()}.part`);
  // Until it has the mode of what it replaces, nobody else may open it.
  const fd = openSync(draft, 'wx', old === undefined ? 0o666 : 0o600);
  try {
    try {
      writeFileSync(fd, content);
      if (old !== undefined) fchmodSync(fd, modeLike(fd, old));
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The mode of `old` after `fd` was given its owner; without the rights of the group where that cannot be. */
function modeLike(fd: number, { mode, uid, gid }: Stats): number {
  const permissions = mode & 0o7777;
  const own = fstatSync(fd);
  if (own.uid === uid && own.gid === gid) return permissions;
  const owner = own.uid === 0 ? uid : own.uid;
  try {
    fchownSync(fd, owner, gid);
    return owner === uid ? permissions : permissions & 0o777;
  } catch {
    return permissions & 0o707;
  }
}
