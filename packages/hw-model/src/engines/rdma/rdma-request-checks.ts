// Checks of a peer's request, and what it is told when one fails.
// Source followed: the kernel's rxe driver (rxe_resp.c, check_op_valid, check_length, check_rkey) for order and codes;
// InfiniBand Architecture Specification 1.3, section 11.6.2 for what a receive that was already taken reports.
// Rights that the queue pair lacks and rights that a key lacks are told apart. A read or write of no bytes needs no key.
// Simplified: the length of a message is checked as a whole, not per packet.

import { RDMA_ACCESS } from './rdma-access.ts';
import type { RdmaInboundMessage } from './rdma-inbound-message.ts';
import type { RdmaKeyTable } from './rdma-key-table.ts';
import { RdmaKeyUse } from './rdma-key-use.ts';
import { RDMA_NAK, type RdmaNak, type RdmaRequestPacket } from './rdma-packet.ts';
import type { RdmaAsyncEvent } from './rdma-queue-pair.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';
import type { RdmaOpcode } from './rdma-work-request.ts';

const MAX_MESSAGE_BYTES = 2 ** 31;

/**
 * What follows from a failed check.
 * @internal
 */
export interface RdmaRefusal {
  readonly nak: RdmaNak;
  /** Status of the receive that the message had taken. */
  readonly receiveStatus: RdmaStatus;
  /** Reported when it had taken none. */
  readonly event: RdmaAsyncEvent;
}

/** The refusals, by the check that fails. @internal */
export const REFUSALS: {
  readonly opcode: RdmaRefusal;
  readonly notReady: RdmaRefusal;
  readonly length: RdmaRefusal;
  readonly remoteKey: RdmaRefusal;
  readonly receiveKey: RdmaRefusal;
  readonly operation: RdmaRefusal;
} = {
  /** The queue pair does not permit the operation, or it is malformed. */
  opcode: {
    nak: RDMA_NAK.invalidRequest,
    receiveStatus: RDMA_STATUS.REM_INV_REQ_ERR,
    event: 'qp-request-error',
  },
  notReady: {
    nak: RDMA_NAK.receiverNotReady,
    receiveStatus: RDMA_STATUS.SUCCESS,
    event: 'qp-fatal',
  },
  /** Longer than a message may be, or than the receive. */
  length: {
    nak: RDMA_NAK.invalidRequest,
    receiveStatus: RDMA_STATUS.LOC_LEN_ERR,
    event: 'qp-request-error',
  },
  /** Key, protection domain, access or bounds of the peer's address. */
  remoteKey: {
    nak: RDMA_NAK.remoteAccess,
    receiveStatus: RDMA_STATUS.LOC_ACCESS_ERR,
    event: 'qp-access-error',
  },
  /** The receive's own memory. */
  receiveKey: {
    nak: RDMA_NAK.remoteOperation,
    receiveStatus: RDMA_STATUS.LOC_PROT_ERR,
    event: 'qp-fatal',
  },
  /** This side could not do what it should. */
  operation: {
    nak: RDMA_NAK.remoteOperation,
    receiveStatus: RDMA_STATUS.LOC_QP_OP_ERR,
    event: 'qp-fatal',
  },
};

/** The right a queue pair must have for an operation; none for sends. @internal */
export const QP_RIGHT: Readonly<Partial<Record<RdmaOpcode, number>>> = {
  'rdma-write': RDMA_ACCESS.remoteWrite,
  'rdma-write-with-imm': RDMA_ACCESS.remoteWrite,
  'rdma-read': RDMA_ACCESS.remoteRead,
  'compare-swap': RDMA_ACCESS.remoteAtomic,
  'fetch-add': RDMA_ACCESS.remoteAtomic,
};

/**
 * True for packets that take a receive: the first of a send, the last of a write with immediate data.
 * @internal
 */
export const consumesReceive = ({ opcode, first, last }: RdmaRequestPacket): boolean =>
  opcode.startsWith('send') ? first : last && opcode === 'rdma-write-with-imm';

/**
 * Length and key of a request's first packet; null = both are good, and the message knows its key's row.
 * @internal
 */
export function accessCheck(
  message: RdmaInboundMessage,
  packet: RdmaRequestPacket,
  keys: RdmaKeyTable,
  pd: number,
): RdmaRefusal | null {
  const right = QP_RIGHT[packet.opcode];
  if (right === undefined) return null;
  if (packet.length > MAX_MESSAGE_BYTES) return REFUSALS.length;
  if (packet.length === 0) return null;
  const entry = keys.remote(packet.rkey, pd, right);
  if (entry?.contains(packet.remoteAddress, packet.length) !== true) return REFUSALS.remoteKey;
  message.use = new RdmaKeyUse(entry);
  return null;
}
