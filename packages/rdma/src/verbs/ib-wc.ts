// IbWc: a completion as a driver of the kernel polls it.
// Source followed: include/rdma/ib_verbs.h (struct ib_wc, enum ib_wc_status), drivers/infiniband/core/verbs.c
// (ib_wc_status_msg).
// Simplified: no vendor error, no network headers.

import { RDMA_STATUS, type RdmaCompletionOpcode, type RdmaStatus } from '@sgfree/hw-model';
import type { IbQp } from './ib-qp.ts';

/**
 * Completion statuses, by the kernel's names without `IB_WC_`.
 * @public
 */
export const IbWcStatus: typeof RDMA_STATUS = RDMA_STATUS;

/**
 * A completion status, 0 to 21.
 * @kernel enum ib_wc_status
 * @public
 */
export type IbWcStatus = RdmaStatus;

/**
 * A polled completion. Only `wrId`, `status` and `qp` mean anything when the status is not success.
 * @kernel struct ib_wc
 * @public
 */
export interface IbWc {
  readonly wrId: number;
  readonly status: IbWcStatus;
  readonly opcode: RdmaCompletionOpcode;
  readonly byteLen: number;
  readonly qp: IbQp | null;
  readonly immData?: number;
  readonly invalidateRkey?: number;
}
