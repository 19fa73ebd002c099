// Access of the process itself to its memory, byte by byte as the program would do it.
// Source followed: copy_to_user and copy_from_user with their page faults.
// Simplified: all or nothing: a fault in the middle leaves the bytes before it written and is an error.

import { type ModelTask, offsetWithin, PAGE_SIZE, physOfFrame } from '@sgfree/hw-model';
import type { ProcessMemory } from './process-memory.ts';
import { handleMmFault } from './user-fault.ts';

/**
 * The program writes `bytes` at `address`: 0, -EFAULT or -ENOMEM.
 * @public
 * @kernel copy_to_user
 */
export function* copyToUser(mm: ProcessMemory, address: number, bytes: Uint8Array): ModelTask<number> {
  return yield* accessUser(mm, address, bytes, true);
}

/**
 * The program reads `bytes.length` bytes at `address` into `bytes`: 0, -EFAULT or -ENOMEM.
 * @public
 * @kernel copy_from_user
 */
export function* copyFromUser(mm: ProcessMemory, address: number, bytes: Uint8Array): ModelTask<number> {
  return yield* accessUser(mm, address, bytes, false);
}

function* accessUser(
  mm: ProcessMemory,
  address: number,
  bytes: Uint8Array,
  write: boolean,
): ModelTask<number> {
  yield* mm.mmapLock.readLock();
  let error = 0;
  for (let done = 0; done < bytes.length && error === 0; ) {
    const at = address + done;
    const offset = offsetWithin(at, PAGE_SIZE);
    const piece = bytes.subarray(done, Math.min(bytes.length, done + PAGE_SIZE - offset));
    error = yield* handleMmFault(mm, at, write);
    const pte = mm.ptes.get(Math.floor(at / PAGE_SIZE));
    if (error !== 0 || pte === undefined) break;
    if (write) mm.memory.write(physOfFrame(pte.frame, offset), piece);
    else mm.memory.read(physOfFrame(pte.frame, offset), piece);
    if (write) pte.folio.dirty = true;
    done += piece.length;
  }
  mm.mmapLock.readUnlock();
  return error;
}
