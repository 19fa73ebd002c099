// Local operations: work requests that only change rows of the NIC's own key table.
// Source followed: the kernel's rxe driver (rxe_req.c, rxe_do_local_ops; rxe_mr.c, rxe_reg_fast_mr, rxe_invalidate_mr;
// rxe_mw.c, rxe_bind_mw): what each refuses, and with which status.
// Simplified: memory windows of the second type only: bound to one queue pair's protection domain by a work request.

import { RDMA_ACCESS, REMOTE_ACCESS } from './rdma-access.ts';
import type { RdmaKeyEntry } from './rdma-key-entry.ts';
import type { RdmaKeyTable } from './rdma-key-table.ts';
import type { RdmaQueuePair } from './rdma-queue-pair.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';
import type { RdmaBinding, RdmaRegistration, RdmaSendRequest } from './rdma-work-request.ts';

const { SUCCESS, LOC_QP_OP_ERR, MW_BIND_ERR } = RDMA_STATUS;

/**
 * Does a local operation at once; its status.
 * @internal
 */
export function runLocalOperation(
  keys: RdmaKeyTable,
  pair: RdmaQueuePair,
  request: RdmaSendRequest,
): RdmaStatus {
  const { opcode, registration, binding, invalidateKey } = request;
  if (opcode === 'reg-mr' && registration !== undefined) return register(pair, registration);
  if (opcode === 'bind-mw' && binding !== undefined) return bind(pair, binding);
  if (opcode === 'local-inv' && invalidateKey !== undefined) {
    return invalidateKeyOf(keys, pair.pd, invalidateKey) ? SUCCESS : LOC_QP_OP_ERR;
  }
  return LOC_QP_OP_ERR;
}

/** Only a free row, of the pair's protection domain, and only the low byte of its key may change. */
function register(pair: RdmaQueuePair, { entry, key, contents }: RdmaRegistration): RdmaStatus {
  if (entry.kind !== 'fast' || entry.state !== 'free') return LOC_QP_OP_ERR;
  if (entry.pd !== pair.pd || Math.floor(key / 256) !== entry.index) return LOC_QP_OP_ERR;
  entry.lkey = key;
  entry.rkey = (contents.access & REMOTE_ACCESS) === 0 ? 0 : key;
  entry.validate(contents);
  return SUCCESS;
}

/**
 * Makes a key that a work request of this or of the peer's NIC names free again. False when there is no such key in the
 * protection domain (which rxe does not compare, hardware does), when its row cannot be registered by work requests, or
 * when windows are bound to it.
 * @internal
 */
export function invalidateKeyOf(keys: RdmaKeyTable, pd: number, key: number): boolean {
  const entry = keys.at(Math.floor(key / 256));
  if (entry === null || entry.pd !== pd || (entry.kind !== 'fast' && entry.kind !== 'window')) return false;
  if (key !== (entry.kind === 'window' || entry.rkey !== 0 ? entry.rkey : entry.lkey)) return false;
  if (entry.boundWindows > 0 || entry.state === 'invalid') return false;
  entry.invalidate('free');
  return true;
}

function bind(pair: RdmaQueuePair, binding: RdmaBinding): RdmaStatus {
  const { window, region, key, access, iova, length } = binding;
  if (!mayBind(pair.pd, window, region, binding)) return MW_BIND_ERR;
  window.rkey = key;
  window.lkey = key;
  window.validate({ access, iova, length, translation: null });
  window.region = region;
  region.boundWindows += 1;
  return SUCCESS;
}

/** A window that lets peers write or compare needs a region that its owner may write. */
function mayBind(pd: number, window: RdmaKeyEntry, region: RdmaKeyEntry, binding: RdmaBinding): boolean {
  const { key, access, iova, length } = binding;
  const writes = (access & (RDMA_ACCESS.remoteWrite | RDMA_ACCESS.remoteAtomic)) !== 0;
  return (
    window.kind === 'window' &&
    window.state === 'free' &&
    window.pd === pd &&
    region.pd === pd &&
    Math.floor(key / 256) === window.index &&
    region.state === 'valid' &&
    (region.access & RDMA_ACCESS.windowBind) !== 0 &&
    !(writes && (region.access & RDMA_ACCESS.localWrite) === 0) &&
    region.contains(iova, length)
  );
}
