// What the bytes of a run must be, on both sides, once everything has come to rest.
// Source followed: InfiniBand Architecture Specification 1.3, section 9.4: a completion with success says that all bytes are
// in place; the request that was refused may have moved a beginning of its bytes; what was flushed behind it has moved none,
// since the serving side takes nothing after the request that it refused.
// Simplified: none.

import { IbWcStatus } from '@sgfree/rdma/stage-6';
import { bytesDiffering, bytesTornWrong } from './lent-slots.ts';
import type { LentJob, LentTraffic } from './lent-traffic.ts';
import type { RevokeCast } from './revoke-cast.ts';

/** @internal */
export interface RevokeData {
  readonly verified: number;
  readonly wrong: number;
  /** Bytes of requests that reached the memory, and those among them that lie in slots that were compared. */
  readonly moved: { readonly read: number; readonly written: number; readonly compared: number };
}

/** Compares every slot that any of `traffics` used. @internal */
export function compareRevokeData(cast: RevokeCast, traffics: readonly LentTraffic[]): RevokeData {
  const jobs = new Map<number, LentJob>();
  for (const job of traffics.flatMap((traffic) => traffic.jobs)) {
    // Once it is there it stays there, whatever becomes of later attempts.
    if (jobs.get(job.slot)?.status !== IbWcStatus.SUCCESS) jobs.set(job.slot, job);
  }
  let wrong = 0;
  for (const job of jobs.values()) wrong += wrongBytes(cast, job);
  return { verified: jobs.size * cast.slots.slotBytes, wrong, moved: movedBytes(cast, jobs) };
}

function movedBytes(
  { memory, slots }: RevokeCast,
  compared: ReadonlyMap<number, LentJob>,
): RevokeData['moved'] {
  const moved = { read: 0, written: 0, compared: 0 };
  for (const { write, offset, bytes } of memory.accesses) {
    if (write) moved.written += bytes;
    else moved.read += bytes;
    if (compared.has(slots.slotAt(offset))) moved.compared += bytes;
  }
  return moved;
}

function wrongBytes({ slots, memory, scene }: RevokeCast, { slot, write, status }: LentJob): number {
  const sent = slots.sent(slot);
  const held = slots.held(slot);
  const found = write ? memory.peek(slots.offset(slot), slots.slotBytes) : new Uint8Array(slots.slotBytes);
  if (!write) scene.far.load(slots.offset(slot), found);
  const [wanted, before] = write ? [sent, held] : [held, sent];
  if (status === IbWcStatus.SUCCESS) return bytesDiffering(found, wanted);
  if (status === IbWcStatus.WR_FLUSH_ERR) return bytesDiffering(found, before);
  return bytesTornWrong(found, wanted, before);
}
