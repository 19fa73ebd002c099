// RDMA_STATUS: how a work request ended, as its completion says.
// Source followed: InfiniBand Architecture Specification 1.3, section 11.6.2 (completion return status); numbers as in the
// kernel's IB_WC_* list.
// Simplified: the statuses of datagram and end-to-end context services exist as numbers only.

/**
 * Completion statuses by the kernel's number.
 * @public
 */
export const RDMA_STATUS = {
  SUCCESS: 0,
  LOC_LEN_ERR: 1,
  LOC_QP_OP_ERR: 2,
  LOC_EEC_OP_ERR: 3,
  LOC_PROT_ERR: 4,
  WR_FLUSH_ERR: 5,
  MW_BIND_ERR: 6,
  BAD_RESP_ERR: 7,
  LOC_ACCESS_ERR: 8,
  REM_INV_REQ_ERR: 9,
  REM_ACCESS_ERR: 10,
  REM_OP_ERR: 11,
  RETRY_EXC_ERR: 12,
  RNR_RETRY_EXC_ERR: 13,
  LOC_RDD_VIOL_ERR: 14,
  REM_INV_RD_REQ_ERR: 15,
  REM_ABORT_ERR: 16,
  INV_EECN_ERR: 17,
  INV_EEC_STATE_ERR: 18,
  FATAL_ERR: 19,
  RESP_TIMEOUT_ERR: 20,
  GENERAL_ERR: 21,
} as const;

/**
 * The name of a completion status.
 * @public
 */
export type RdmaStatusName = keyof typeof RDMA_STATUS;

/**
 * A completion status, 0 to 21.
 * @public
 */
export type RdmaStatus = (typeof RDMA_STATUS)[RdmaStatusName];

const names = Object.keys(RDMA_STATUS) as RdmaStatusName[];

/**
 * The name of `status`.
 * @public
 */
export const rdmaStatusName = (status: RdmaStatus): RdmaStatusName => names[status] as RdmaStatusName;
