// Work requests: what software puts into the queues of a queue pair.
// Source followed: InfiniBand Architecture Specification 1.3, section 10.7; the kernel's struct ib_send_wr and its kin.
// Simplified: objects of the model instead of queue entries in memory; a request that carries its data inline brings the
// bytes; 64-bit operands of atomics are bigint, as they are raw words of a user interface.

import type { RdmaKeyContents, RdmaKeyEntry } from './rdma-key-entry.ts';

/**
 * A piece of local memory, named through a key.
 * @public
 */
export interface RdmaSge {
  readonly address: number;
  /** 0 to 2^32 - 1 bytes. */
  readonly length: number;
  readonly lkey: number;
}

/**
 * What a send queue can be asked to do.
 * @public
 */
export type RdmaOpcode =
  | 'rdma-write'
  | 'rdma-write-with-imm'
  | 'send'
  | 'send-with-imm'
  | 'send-with-inv'
  | 'rdma-read'
  | 'compare-swap'
  | 'fetch-add'
  | 'local-inv'
  | 'reg-mr'
  | 'bind-mw';

/**
 * Registers a region: the row, and what it is to say from now on.
 * @public
 */
export interface RdmaRegistration {
  readonly entry: RdmaKeyEntry;
  /** The row's index with any low byte. */
  readonly key: number;
  readonly contents: RdmaKeyContents;
}

/**
 * Binds a window to a part of a region.
 * @public
 */
export interface RdmaBinding {
  readonly window: RdmaKeyEntry;
  readonly region: RdmaKeyEntry;
  /** The window's index with any low byte. */
  readonly key: number;
  readonly access: number;
  readonly iova: number;
  readonly length: number;
}

/**
 * A work request of a send queue.
 * @public
 */
export interface RdmaSendRequest {
  readonly wrId: number;
  readonly opcode: RdmaOpcode;
  readonly sges: readonly RdmaSge[];
  /** Data that travels inside the request; `sges` is then not looked at. */
  readonly inlineData?: Uint8Array;
  /** Success makes a completion; errors always do. */
  readonly signaled: boolean;
  /** Starts only when all earlier reads and atomics are done. */
  readonly fence: boolean;
  readonly remoteAddress?: number;
  readonly rkey?: number;
  /** 32 bits. */
  readonly immediate?: number;
  /** Key that the peer (`send-with-inv`) or this NIC (`local-inv`) is to invalidate. */
  readonly invalidateKey?: number;
  /** Compared (`compare-swap`) or added (`fetch-add`); 64 bits. */
  readonly compareAdd?: bigint;
  readonly swap?: bigint;
  readonly registration?: RdmaRegistration;
  readonly binding?: RdmaBinding;
}

/**
 * A work request of a receive queue.
 * @public
 */
export interface RdmaReceiveRequest {
  readonly wrId: number;
  readonly sges: readonly RdmaSge[];
}

/**
 * Bytes that the pieces of a request hold together.
 * @internal
 */
export function sgeBytes(sges: readonly RdmaSge[]): number {
  let bytes = 0;
  for (const { length } of sges) bytes += length;
  return bytes;
}
