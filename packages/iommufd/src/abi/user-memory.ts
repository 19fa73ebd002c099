// UserMemory: what a pointer that user space hands over points to.
// Source followed: get_user, copy_from_user, copy_to_user and clear_user as a call uses them: memory that is not there or
// must not be written is -EFAULT; nothing is touched for no bytes.
// Simplified: bytes given directly end where the array ends; nothing can go away between two accesses of one call.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { copyFromUser, copyToUser, Errno, type ProcessMemory } from '@sgfree/mm';
import type { U64 } from '../u64/u64.ts';

/** First page above all user addresses: 2^47 bytes. */
const USER_PAGES = 2 ** 35;

/**
 * Memory of user space from some pointer on.
 * @public
 */
export interface UserMemory {
  /** Reads `bytes.length` bytes `offset` bytes further on; 0, -EFAULT or -ENOMEM. */
  read(offset: number, bytes: Uint8Array): ModelTask<number>;
  /** Writes `bytes` there; 0, -EFAULT or -ENOMEM. */
  write(offset: number, bytes: Uint8Array): ModelTask<number>;
}

/**
 * Memory that is given as bytes; null = memory that is not there.
 * @public
 */
export class ByteMemory implements UserMemory {
  readonly #bytes: Uint8Array | null;

  constructor(bytes: Uint8Array | null) {
    this.#bytes = bytes;
  }

  *read(offset: number, bytes: Uint8Array): ModelTask<number> {
    yield* [];
    const from = this.#part(offset, bytes.length);
    if (from === null) return -Errno.EFAULT;
    bytes.set(from);
    return 0;
  }

  *write(offset: number, bytes: Uint8Array): ModelTask<number> {
    yield* [];
    const to = this.#part(offset, bytes.length);
    if (to === null) return -Errno.EFAULT;
    to.set(bytes);
    return 0;
  }

  #part(offset: number, count: number): Uint8Array | null {
    const bytes = this.#bytes;
    if (bytes === null || offset + count > bytes.length) return null;
    return bytes.subarray(offset, offset + count);
  }
}

/**
 * Memory of a process from `address` on.
 * @public
 */
export class ProcessPointer implements UserMemory {
  readonly #mm: ProcessMemory;
  readonly #address: U64;

  constructor(mm: ProcessMemory, address: U64) {
    this.#mm = mm;
    this.#address = address;
  }

  *read(offset: number, bytes: Uint8Array): ModelTask<number> {
    const mm = this.#mm;
    const at = this.#at(offset, bytes.length);
    return at < 0 ? fault(bytes) : yield* copyFromUser(mm, at, bytes);
  }

  *write(offset: number, bytes: Uint8Array): ModelTask<number> {
    const mm = this.#mm;
    const at = this.#at(offset, bytes.length);
    return at < 0 ? fault(bytes) : yield* copyToUser(mm, at, bytes);
  }

  /** The address, or -1 when it is not one of user space. */
  #at(offset: number, count: number): number {
    const { page, byte } = this.#address;
    if (page >= USER_PAGES) return -1;
    const at = page * PAGE_SIZE + byte + offset;
    return at + count <= USER_PAGES * PAGE_SIZE ? at : -1;
  }
}

const fault = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : -Errno.EFAULT);
