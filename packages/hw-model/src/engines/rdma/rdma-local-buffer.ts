// RdmaLocalBuffer: the scattered local memory of one work request, as one run of bytes.
// Source followed: the kernel's rxe driver (rxe_mr.c, copy_data): each piece names a key of the queue pair's protection
// domain; pieces of no length are not looked at.
// Keys and bounds are checked when the request starts, so that a bad piece lets nothing out; each bus request then checks
// its key again.
// Simplified: rxe checks bounds piece by piece while it copies; who posts the request sees the same status.

import type { ModelTask } from '../../yield-point.ts';
import { RDMA_ACCESS } from './rdma-access.ts';
import type { RdmaKeyTable } from './rdma-key-table.ts';
import { RdmaKeyUse } from './rdma-key-use.ts';
import type { RdmaAccessor, RdmaAccessResult, RdmaMemoryPort } from './rdma-memory-port.ts';
import type { RdmaSge } from './rdma-work-request.ts';

/**
 * Where the bytes of a work request lie.
 * @internal
 */
export class RdmaLocalBuffer {
  readonly #sges: RdmaSge[] = [];
  readonly #uses: RdmaKeyUse[] = [];

  /** Null when a piece's key, protection domain, access or bounds are wrong. */
  static resolve(
    keys: RdmaKeyTable,
    pd: number,
    sges: readonly RdmaSge[],
    write: boolean,
  ): RdmaLocalBuffer | null {
    const made = new RdmaLocalBuffer();
    for (const sge of sges) {
      if (sge.length === 0) continue;
      const entry = keys.local(sge.lkey, pd, write ? RDMA_ACCESS.localWrite : 0);
      if (entry === null || !entry.contains(sge.address, sge.length)) return null;
      made.#sges.push(sge);
      made.#uses.push(new RdmaKeyUse(entry));
    }
    return made;
  }

  /** Moves `bytes` bytes from `offset` on between memory and the front of `buffer`. */
  *move(
    port: RdmaMemoryPort,
    who: RdmaAccessor,
    offset: number,
    buffer: Uint8Array,
    bytes: number,
    write: boolean,
  ): ModelTask<RdmaAccessResult> {
    let start = 0;
    for (let i = 0, at = 0; i < this.#sges.length && at < bytes; i += 1) {
      const { address, length } = this.#sges[i] as RdmaSge;
      const skip = offset + at - start;
      if (skip < length) {
        const piece = { buffer, at, bytes: Math.min(length - skip, bytes - at) };
        const use = this.#uses[i] as RdmaKeyUse;
        const result = yield* port.move(who, use, address + skip, piece, write);
        if (result !== 'success') return result;
        at += piece.bytes;
      }
      start += length;
    }
    return 'success';
  }
}
