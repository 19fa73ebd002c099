// OutputFile: a file that is there whole or not at all: written beside its place, then renamed into it.
// Source followed: rename(2): readers see the old file or the new one.
// Simplified: what is no regular file (a pipe, a device) is written to as it is.

import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../request-list/input-error.ts';

/** A file to be, opened before the work begins: a place that cannot be written to costs no time. */
export class OutputFile {
  readonly #path: string;
  readonly #option: string;
  /** Null: the place is no regular file. */
  readonly #draft: string | null;
  #fd: number | null = null;

  /** Throws {@link InputError} of `option` where nothing can be written. */
  constructor(option: string, path: string) {
    this.#option = option;
    [this.#path, this.#draft, this.#fd] = this.#trying(() => {
      const place = placeOf(path);
      if (!place.regular) return [place.path, null, openSync(place.path, 'w')];
      const draft = join(dirname(place.path), `.${basename(place.path)}.${process.pid}.part`);
      return [place.path, draft, openSync(draft, 'wx')];
    });
  }

  /** Writes everything and puts it into its place. */
  write(content: string | Uint8Array): void {
    this.#trying(() => {
      if (this.#fd === null) return;
      writeFileSync(this.#fd, content);
      closeSync(this.#fd);
      this.#fd = null;
      if (this.#draft !== null) renameSync(this.#draft, this.#path);
    });
  }

  /** Takes away what was not finished. */
  close(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    if (this.#draft !== null) rmSync(this.#draft, { force: true });
  }

  #trying<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.close();
      const { code = 'an error' } = error as NodeJS.ErrnoException;
      throw new InputError(this.#option, 0, `a file that cannot be written (${code})`, 'a place to write to');
    }
  }
}

/** Where a name leads, by symbolic links, and whether a file can be put there. */
function placeOf(path: string): { readonly path: string; readonly regular: boolean } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { path, regular: true };
  return { path: realpathSync(path), regular: found.isFile() };
}
