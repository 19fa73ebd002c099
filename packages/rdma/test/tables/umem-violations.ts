// The ways in which memory cannot be registered, one by one: the number of the step that finds it, the answer, and what is
// changed in a request that is otherwise good.
// Source: rdma-block-gpu.md A.1.1 (user memory), A.4 (a dma-buf), A.5.1 (on demand).

import { Errno } from '@sgfree/mm';

/** One way to be wrong; two that change one field do not go together. */
export interface UmemViolation<Change> {
  readonly key: string;
  readonly step: number;
  /** A negative errno. */
  readonly answer: number;
  readonly change: Change;
}

/** Of a request for user memory. Sizes in bytes; the good one has four pages of a writable area. */
export interface UserChange {
  readonly addr?: number | 'nowhere' | 'read-only';
  readonly size?: number;
  readonly access?: number;
  readonly rlimitPages?: number;
  readonly failing?: number;
  readonly bounce?: true;
}

const PAGE = 4096;
const { EBADF, EFAULT, EINVAL, EIO, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM } = Errno;

/** User memory, in the order of the steps. */
export const userViolations: readonly UmemViolation<UserChange>[] = [
  { key: 'bounce', step: 1, answer: -EOPNOTSUPP, change: { bounce: true } },
  { key: 'wraps', step: 2, answer: -EINVAL, change: { addr: 2 ** 64 - 2 * PAGE, size: 4 * PAGE } },
  { key: 'last-page-wraps', step: 2, answer: -EINVAL, change: { addr: 2 ** 64 - PAGE, size: PAGE / 2 } },
  { key: 'may-not-lock', step: 3, answer: -EPERM, change: { rlimitPages: 0 } },
  { key: 'on-demand', step: 4, answer: -EOPNOTSUPP, change: { access: 1 + 64 } },
  { key: 'no-object', step: 5, answer: -ENOMEM, change: { failing: 1 } },
  { key: 'no-scratch-page', step: 7, answer: -ENOMEM, change: { failing: 2 } },
  { key: 'no-bytes', step: 8, answer: -EINVAL, change: { size: 0 } },
  { key: 'over-limit', step: 9, answer: -ENOMEM, change: { rlimitPages: 3 } },
  { key: 'nowhere', step: 11, answer: -EFAULT, change: { addr: 'nowhere' } },
  { key: 'read-only', step: 11, answer: -EFAULT, change: { addr: 'read-only' } },
];

/** Of a request for a part of a buffer of six pages. */
export interface BufferChange {
  readonly offset?: number;
  readonly size?: number;
  readonly fd?: 'none' | 'no-buffer';
  readonly failing?: number;
  readonly attach?: 'fails';
}

/** A dma-buf, in the order of the steps. */
export const bufferViolations: readonly UmemViolation<BufferChange>[] = [
  { key: 'wraps', step: 1, answer: -EINVAL, change: { offset: 2 ** 64 - 2 * PAGE, size: 4 * PAGE } },
  { key: 'no-file', step: 2, answer: -EBADF, change: { fd: 'none' } },
  { key: 'no-buffer', step: 2, answer: -EINVAL, change: { fd: 'no-buffer' } },
  { key: 'beyond-end', step: 3, answer: -EINVAL, change: { size: 6 * PAGE + 1 } },
  { key: 'starts-beyond-end', step: 3, answer: -EINVAL, change: { offset: 6 * PAGE } },
  { key: 'no-object', step: 4, answer: -ENOMEM, change: { failing: 1 } },
  { key: 'no-bytes', step: 5, answer: -EINVAL, change: { size: 0 } },
  { key: 'attach-fails', step: 6, answer: -EIO, change: { attach: 'fails' } },
];

/** Of a request for memory on demand. */
export interface OdpRow {
  readonly key: string;
  readonly addr: number;
  readonly size: number;
  readonly access: number;
  /** Pages that are watched, or a negative errno. */
  readonly answer: number;
  readonly warned?: number;
}

const ODP = 1 + 64;
const at = 0x7f0000000000;

/** Memory on demand. */
export const odpRows: readonly OdpRow[] = [
  { key: 'odp.get.page', addr: at, size: PAGE, access: ODP, answer: 1 },
  { key: 'odp.get.byte', addr: at, size: 1, access: ODP, answer: 1 },
  { key: 'odp.get.two-bytes-two-pages', addr: at + 4095, size: 2, access: ODP, answer: 2 },
  { key: 'odp.get.odd-page', addr: at + 1, size: PAGE, access: ODP, answer: 2 },
  { key: 'odp.get.no-bytes', addr: at, size: 0, access: ODP, answer: -EINVAL },
  { key: 'odp.get.no-bytes-odd', addr: at + 1, size: 0, access: ODP, answer: 1 },
  { key: 'odp.get.wraps', addr: 2 ** 64 - 2 * PAGE, size: 4 * PAGE, access: ODP, answer: -EOVERFLOW },
  { key: 'odp.get.last-page-wraps', addr: 2 ** 64 - PAGE, size: PAGE / 2, access: ODP, answer: -EOVERFLOW },
  { key: 'odp.get.not-on-demand', addr: at, size: PAGE, access: 1, answer: -EINVAL, warned: 1 },
  {
    key: 'odp.get.not-on-demand-wraps',
    addr: 2 ** 64 - 2 * PAGE,
    size: 4 * PAGE,
    access: 1,
    answer: -EINVAL,
    warned: 1,
  },
  { key: 'odp.get.not-on-demand-no-bytes', addr: at, size: 0, access: 1, answer: -EINVAL, warned: 1 },
];

/** A look at pages of a region of four pages: answer in pages, or a negative errno. */
export interface LookRow {
  readonly key: string;
  /** From the region's first byte. */
  readonly from: number;
  readonly bytes: number;
  readonly gone?: true;
  readonly answer: number;
}

/** Looks. */
export const lookRows: readonly LookRow[] = [
  { key: 'odp.look.all', from: 0, bytes: 4 * PAGE, answer: 4 },
  { key: 'odp.look.one-byte', from: 5, bytes: 1, answer: 1 },
  { key: 'odp.look.across', from: PAGE - 1, bytes: 2, answer: 2 },
  { key: 'odp.look.odd', from: PAGE + 1, bytes: PAGE, answer: 2 },
  { key: 'odp.look.last-byte', from: 4 * PAGE - 1, bytes: 1, answer: 1 },
  { key: 'odp.look.below', from: -1, bytes: 2, answer: -EFAULT },
  { key: 'odp.look.below-whole', from: -PAGE, bytes: PAGE, answer: -EFAULT },
  { key: 'odp.look.beyond', from: 0, bytes: 4 * PAGE + 1, answer: -EFAULT },
  { key: 'odp.look.last-byte-and-more', from: 4 * PAGE - 1, bytes: 2, answer: -EFAULT },
  { key: 'odp.look.behind', from: 4 * PAGE, bytes: 1, answer: -EFAULT },
  { key: 'odp.look.process-gone', from: 0, bytes: PAGE, gone: true, answer: -EINVAL },
  { key: 'odp.look.outside-process-gone', from: 4 * PAGE, bytes: 1, gone: true, answer: -EFAULT },
];
