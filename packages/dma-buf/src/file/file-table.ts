// FileTable: the file descriptors of the modelled process and the open files behind them.
// Source followed: fs/file.c (lowest free descriptor, -EMFILE, reserving a number before installing the file).
// Simplified: one process, no threads that close a descriptor under another's call, no flags but close-on-exec.

import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';

/**
 * An open file (`struct file`): references, and what happens when the last one goes.
 * @public
 */
export interface ModelFile {
  /** References; descriptors hold one each. */
  refs: number;
  /** Called when the last reference goes. */
  release(): ModelTask<void>;
}

/**
 * Takes a reference of an open file.
 * @kernel get_file
 * @public
 */
export function getFile<F extends ModelFile>(file: F): F {
  if (file.refs === 0) throw new InternalError('a reference of a released file is taken');
  file.refs += 1;
  return file;
}

/**
 * Gives a reference back; the last one releases the file.
 * @kernel fput
 * @public
 */
export function* fput(file: ModelFile): ModelTask<void> {
  if (file.refs === 0) throw new InternalError('a reference of a released file is given back');
  file.refs -= 1;
  if (file.refs === 0) yield* file.release();
}

interface Slot {
  /** Null while the number is only reserved. */
  file: ModelFile | null;
  readonly closeOnExec: boolean;
}

/**
 * Descriptors of one process.
 * @public
 */
export class FileTable {
  readonly #slots = new Map<number, Slot>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Reserves the lowest free number: `get_unused_fd_flags`. -EMFILE when all are taken. */
  reserve(closeOnExec = false): Outcome<number> {
    for (let fd = 0; fd < this.#limit; fd += 1) {
      if (this.#slots.has(fd)) continue;
      this.#slots.set(fd, { file: null, closeOnExec });
      return success(fd);
    }
    return failure(Errno.EMFILE);
  }

  /** Gives a number back that was only reserved: `put_unused_fd`. */
  unreserve(fd: number): void {
    this.#reserved(fd);
    this.#slots.delete(fd);
  }

  /** Puts `file` behind a reserved number; the descriptor takes over the caller's reference: `fd_install`. */
  install(fd: number, file: ModelFile): void {
    this.#reserved(fd).file = file;
  }

  /** The file behind `fd`, without a reference; null when there is none. */
  at(fd: number): ModelFile | null {
    return this.#slots.get(fd)?.file ?? null;
  }

  /** True when `fd` would not survive an exec. */
  closesOnExec(fd: number): boolean {
    return this.#slots.get(fd)?.closeOnExec === true;
  }

  /** Closes `fd`; 0 or -EBADF. */
  *close(fd: number): ModelTask<number> {
    const file = this.at(fd);
    if (file === null) return -Errno.EBADF;
    this.#slots.delete(fd);
    yield* fput(file);
    return 0;
  }

  /** Descriptors in use. */
  get count(): number {
    return this.#slots.size;
  }

  #reserved(fd: number): Slot {
    const slot = this.#slots.get(fd);
    if (slot === undefined || slot.file !== null)
      throw new InternalError(`descriptor ${fd} is not a reserved one`);
    return slot;
  }
}
