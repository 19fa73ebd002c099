// RdmaPacket: what two NICs say to each other.
// Source followed: InfiniBand Architecture Specification 1.3, section 9.2 to 9.7: requests and responses carry a packet
// sequence number each; a message longer than the path's MTU takes several; negative acknowledgements carry a code.
// Simplified: sequence numbers do not wrap; headers are fields; no partitions, no congestion marks, no credits.

import type { RdmaOpcode } from './rdma-work-request.ts';

/**
 * Codes of negative acknowledgements. `receiverNotReady` is the model's number: the wire has a class of its own for it.
 * @public
 */
export const RDMA_NAK = {
  sequence: 0x60,
  invalidRequest: 0x61,
  remoteAccess: 0x62,
  remoteOperation: 0x63,
  receiverNotReady: 0x20,
} as const;

/**
 * A code of {@link RDMA_NAK}.
 * @public
 */
export type RdmaNak = (typeof RDMA_NAK)[keyof typeof RDMA_NAK];

/**
 * A packet from a requester.
 * @public
 */
export interface RdmaRequestPacket {
  readonly kind: 'request';
  readonly qpNumber: number;
  readonly psn: number;
  readonly opcode: RdmaOpcode;
  /** First packet of its message. */
  readonly first: boolean;
  /** Last packet of its message. */
  readonly last: boolean;
  readonly payload: Uint8Array;
  /** First byte wanted; in the first packet of a write, and in reads and atomics. */
  readonly remoteAddress: number;
  readonly rkey: number;
  /** Bytes of the whole write or read. */
  readonly length: number;
  readonly immediate?: number;
  readonly invalidateKey?: number;
  readonly compareAdd: bigint;
  readonly swap: bigint;
}

/**
 * A packet from a responder: data of a read, the old value of an atomic, or an acknowledgement.
 * @public
 */
export interface RdmaResponsePacket {
  readonly kind: 'read-response' | 'atomic-response' | 'acknowledge' | 'negative';
  readonly qpNumber: number;
  readonly psn: number;
  readonly payload: Uint8Array;
  /** 0 unless the kind is `negative`. */
  readonly nak: RdmaNak | 0;
  /** How long the requester is to wait when the code is `receiverNotReady`, in milliseconds. */
  readonly pauseMs?: number;
}

/**
 * What travels on the wire.
 * @public
 */
export type RdmaPacket = RdmaRequestPacket | RdmaResponsePacket;

/** No payload. @internal */
export const NO_BYTES: Uint8Array = new Uint8Array(0);
