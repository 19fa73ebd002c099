// RdmaSendEntry: a work request on its way through a send queue: what was sent of it, what came back.
// Source followed: the kernel's rxe driver (struct rxe_send_wqe): first and last sequence number, state, status.
// Simplified: what was sent is counted in packets; a request that is sent again starts at the packet that was lost.

import type { RdmaLocalBuffer } from './rdma-local-buffer.ts';
import { RDMA_STATUS, type RdmaStatus } from './rdma-status.ts';
import { type RdmaOpcode, type RdmaSendRequest, sgeBytes } from './rdma-work-request.ts';

const LOCAL_OPCODES: ReadonlySet<RdmaOpcode> = new Set(['local-inv', 'reg-mr', 'bind-mw']);
const ANSWERED_OPCODES: ReadonlySet<RdmaOpcode> = new Set(['rdma-read', 'compare-swap', 'fetch-add']);

/**
 * One entry of a send queue.
 * @internal
 */
export class RdmaSendEntry {
  readonly request: RdmaSendRequest;
  /** Bytes of the message. */
  readonly bytes: number;
  /** Sequence numbers, once it has begun; -1 before. */
  firstPsn = -1;
  lastPsn = -1;
  /** Packets of the message (of a read: of its answer); set when it begins. */
  packets = 1;
  /** Packets sent since the last time it had to go back. Reads and atomics: all of them once the request is out. */
  sent = 0;
  /** Packets of the answer that have arrived. */
  answered = 0;
  /** True while the requester works on it. */
  busy = false;
  done = false;
  status: RdmaStatus = RDMA_STATUS.SUCCESS;
  local: RdmaLocalBuffer | null = null;

  constructor(request: RdmaSendRequest) {
    this.request = request;
    this.bytes = messageBytes(request);
  }

  get begun(): boolean {
    return this.firstPsn >= 0;
  }

  /** Done by this NIC alone, without a packet. */
  get isLocal(): boolean {
    return LOCAL_OPCODES.has(this.request.opcode);
  }

  /** A read or an atomic: an answer with data is due. */
  get isAnswered(): boolean {
    return ANSWERED_OPCODES.has(this.request.opcode);
  }

  get failed(): boolean {
    return this.done && this.status !== RDMA_STATUS.SUCCESS;
  }

  finish(status: RdmaStatus): void {
    this.done = true;
    this.status = status;
  }
}

function messageBytes({ opcode, inlineData, sges }: RdmaSendRequest): number {
  if (opcode === 'compare-swap' || opcode === 'fetch-add') return 8;
  return inlineData?.length ?? sgeBytes(sges);
}
