// RdmaKeyTable: the NIC's memory protection table: finds the row of a key, or says that there is none.
// Source followed: the kernel's rxe driver (rxe_mr.c, lookup_mr; rxe_mw.c, rxe_lookup_mw): index = key >> 8, then the
// full key, the protection domain, the access and the state must all fit.
// Simplified: indices are handed out in order, the lowest free one first; a fresh key's low byte counts up per table.

import { InternalError } from '../../internal-error.ts';
import { RdmaKeyEntry, type RdmaKeyKind } from './rdma-key-entry.ts';

const FIRST_INDEX = 1;

/**
 * Protection domain of the device's own keys: every domain may use them, for local work only. Software counts from 1.
 * @public
 */
export const RDMA_EVERY_PD = 0;

/**
 * The key table of one NIC.
 * @public
 */
export class RdmaKeyTable {
  readonly #rows = new Map<number, RdmaKeyEntry>();
  readonly #limit: number;
  #variant = 0;

  /** @param limit - rows the table holds */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Rows in use, reserved ones included. */
  get size(): number {
    return this.#rows.size;
  }

  /** Takes a row; its key is not good yet. Null when the table is full. */
  allocate(kind: RdmaKeyKind, pd: number): RdmaKeyEntry | null {
    if (this.#rows.size >= this.#limit) return null;
    let index = FIRST_INDEX;
    while (this.#rows.has(index)) index += 1;
    const entry = new RdmaKeyEntry(index, kind, pd, this.#variant);
    this.#variant = (this.#variant + 1) & 0xff;
    this.#rows.set(index, entry);
    return entry;
  }

  /** Gives the row back; its index may be handed out again. Its requests must have finished. */
  release(entry: RdmaKeyEntry): void {
    if (entry.inUse) throw new InternalError(`key ${entry.lkey} is released while in use`);
    if (entry.state !== 'invalid') entry.invalidate('invalid');
    // After a reset of the device the index may be another row's.
    if (this.at(entry.index) === entry) this.#rows.delete(entry.index);
  }

  /** The row of this index, whatever its state. */
  at(index: number): RdmaKeyEntry | null {
    return this.#rows.get(index) ?? null;
  }

  /** The row that honours `lkey` for work of protection domain `pd`. */
  local(lkey: number, pd: number, access: number): RdmaKeyEntry | null {
    const entry = this.at(Math.floor(lkey / 256));
    if (entry === null || entry.lkey !== lkey || entry.kind === 'window') return null;
    return fits(entry, entry.pd === RDMA_EVERY_PD ? RDMA_EVERY_PD : pd, access) ? entry : null;
  }

  /** The row that honours `rkey` for a peer's request to protection domain `pd`. */
  remote(rkey: number, pd: number, access: number): RdmaKeyEntry | null {
    const entry = this.at(Math.floor(rkey / 256));
    if (entry === null || entry.rkey !== rkey) return null;
    return fits(entry, pd, access) ? entry : null;
  }

  /** Every row goes, as at a reset of the device. */
  clear(): void {
    for (const entry of this.#rows.values()) entry.invalidate('invalid');
    this.#rows.clear();
  }
}

function fits(entry: RdmaKeyEntry, pd: number, access: number): boolean {
  return entry.pd === pd && (access & ~entry.access) === 0 && entry.state === 'valid';
}
