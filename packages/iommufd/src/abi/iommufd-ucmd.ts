// IommufdUcmd: a running call on a context: the kernel's copy of the structure and where the answer goes.
// Source followed: struct iommufd_ucmd and iommufd_ucmd_respond in drivers/iommu/iommufd/iommufd_private.h;
// copy_struct_from_user and check_zeroed_user in lib/.
// Simplified: none.

import { InternalError, type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { StructBytes } from './struct-codec.ts';
import type { IommufdStruct } from './struct-layouts.ts';
import { ProcessPointer, type UserMemory } from './user-memory.ts';

/**
 * A running call.
 * @kernel iommufd_ucmd
 * @internal
 */
export class IommufdUcmd {
  readonly ctx: IommufdContext;
  readonly cmd: StructBytes;
  readonly #user: UserMemory;
  readonly #userSize: number;

  constructor(ctx: IommufdContext, cmd: StructBytes, user: UserMemory, userSize: number) {
    this.ctx = ctx;
    this.cmd = cmd;
    this.#user = user;
    this.#userSize = userSize;
  }

  /** Copies the structure back, as far as user space has room for it; 0 or -EFAULT. */
  *respond(): ModelTask<number> {
    const { bytes } = this.cmd;
    const user = this.#user;
    return yield* user.write(0, bytes.subarray(0, Math.min(bytes.length, this.#userSize)));
  }

  /** Copies one field back, whatever the size; 0 or -EFAULT. */
  *respondField(name: string): ModelTask<number> {
    const field = this.cmd.layout.fields.find((candidate) => candidate.name === name);
    const user = this.#user;
    if (field === undefined) throw new InternalError(`the structure has no field ${name}`);
    const { offset, bytes } = field;
    return yield* user.write(offset, this.cmd.bytes.subarray(offset, offset + bytes));
  }

  /** The memory that a pointer in the structure points to. */
  pointer(name: string): UserMemory {
    return new ProcessPointer(this.ctx.process.mm, this.cmd.wide(name));
  }
}

/**
 * The kernel's copy of a structure of `userSize` bytes: a shorter one is filled up with zeros, of a longer one everything
 * that the kernel does not know must be zero (-E2BIG). -EFAULT.
 * @kernel copy_struct_from_user
 * @internal
 */
export function* copyStructFromUser(
  layout: IommufdStruct,
  user: UserMemory,
  userSize: number,
): ModelTask<Outcome<StructBytes>> {
  for (let at = layout.bytes; at < userSize; at += PAGE_SIZE) {
    const tail = new Uint8Array(Math.min(PAGE_SIZE, userSize - at));
    const error = yield* readTail(user, at, tail);
    if (error !== 0) return failure(-error as Errno);
  }
  const bytes = new Uint8Array(layout.bytes);
  const error = yield* user.read(0, bytes.subarray(0, Math.min(layout.bytes, userSize)));
  return error === 0 ? success(new StructBytes(layout, bytes)) : failure(-error as Errno);
}

/** Byte for byte where memory ends within the piece: a non-zero byte before the end comes first. */
function* readTail(user: UserMemory, at: number, tail: Uint8Array): ModelTask<number> {
  const error = yield* user.read(at, tail);
  if (error === 0) return tail.every((byte) => byte === 0) ? 0 : -Errno.E2BIG;
  const one = new Uint8Array(1);
  for (let byte = 0; byte < tail.length; byte += 1) {
    const missing = yield* user.read(at + byte, one);
    if (missing !== 0) return missing;
    if (one[0] !== 0) return -Errno.E2BIG;
  }
  return error;
}
