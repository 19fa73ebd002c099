// IbSendWr, IbRecvWr: work requests of verbs.
// Source followed: include/rdma/ib_verbs.h (struct ib_send_wr, ib_rdma_wr, ib_atomic_wr, ib_reg_wr, ib_recv_wr, ib_sge).
// Simplified: one record instead of one per opcode; a list of requests is an array, not a chain; inline data is brought as
// bytes, since kernel virtual addresses do not exist here.

import type { IbMr } from './ib-mr.ts';
import type { IbMw } from './ib-mw.ts';

/**
 * A piece of local memory.
 * @kernel struct ib_sge
 * @public
 */
export interface IbSge {
  readonly addr: number;
  /** Bytes, below 2^32. */
  readonly length: number;
  readonly lkey: number;
}

/**
 * What a send queue can be asked to do, as `IB_WR_*` is called.
 * @public
 */
export type IbWrOpcode =
  | 'rdma-write'
  | 'rdma-write-with-imm'
  | 'send'
  | 'send-with-imm'
  | 'send-with-inv'
  | 'rdma-read'
  | 'atomic-cmp-and-swp'
  | 'atomic-fetch-and-add'
  | 'local-inv'
  | 'reg-mr'
  | 'bind-mw';

/**
 * Flags of a send.
 * @public
 */
export interface IbSendFlags {
  /** Starts only when all earlier reads and atomics are done. */
  readonly fence?: boolean;
  /** Success makes a completion. */
  readonly signaled?: boolean;
}

/**
 * A request of a send queue. Fields that an opcode has no use for are not looked at.
 * @kernel struct ib_send_wr
 * @public
 */
export interface IbSendWr {
  readonly wrId: number;
  readonly opcode: IbWrOpcode;
  readonly sgList?: readonly IbSge[];
  readonly sendFlags?: IbSendFlags;
  /** Data inside the request (`IB_SEND_INLINE`); the list is then not looked at. */
  readonly inlineData?: Uint8Array;
  readonly remoteAddr?: number;
  readonly rkey?: number;
  readonly immData?: number;
  readonly invalidateRkey?: number;
  /** 64 bits. */
  readonly compareAdd?: bigint;
  readonly swap?: bigint;
  /** `reg-mr`: the region, the key it is to get and what it permits. */
  readonly mr?: IbMr;
  readonly key?: number;
  readonly access?: number;
  /** `bind-mw`: the window, and the part of the region. */
  readonly mw?: IbMw;
  readonly addr?: number;
  readonly length?: number;
}

/**
 * A request of a receive queue.
 * @kernel struct ib_recv_wr
 * @public
 */
export interface IbRecvWr {
  readonly wrId: number;
  readonly sgList?: readonly IbSge[];
}

/**
 * Out: the first request that was not posted.
 * @public
 */
export interface BadWr<Wr> {
  wr: Wr | null;
}
