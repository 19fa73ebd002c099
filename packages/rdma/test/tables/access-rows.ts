// Access flags, status numbers, keys, sizes in pages, and re-registration.
// Source: rdma-block-gpu.md A.1.3, A.6.1, A.6.2.

import { Errno } from '@sgfree/mm';

/** Statuses from 0 on. */
export const statusNumbers: readonly string[] = [
  'SUCCESS',
  'LOC_LEN_ERR',
  'LOC_QP_OP_ERR',
  'LOC_EEC_OP_ERR',
  'LOC_PROT_ERR',
  'WR_FLUSH_ERR',
  'MW_BIND_ERR',
  'BAD_RESP_ERR',
  'LOC_ACCESS_ERR',
  'REM_INV_REQ_ERR',
  'REM_ACCESS_ERR',
  'REM_OP_ERR',
  'RETRY_EXC_ERR',
  'RNR_RETRY_EXC_ERR',
  'LOC_RDD_VIOL_ERR',
  'REM_INV_RD_REQ_ERR',
  'REM_ABORT_ERR',
  'INV_EECN_ERR',
  'INV_EEC_STATE_ERR',
  'FATAL_ERR',
  'RESP_TIMEOUT_ERR',
  'GENERAL_ERR',
];

/** Values of the flags. */
export const accessBits = [
  { name: 'LOCAL_WRITE', bit: 1 },
  { name: 'REMOTE_WRITE', bit: 2 },
  { name: 'REMOTE_READ', bit: 4 },
  { name: 'REMOTE_ATOMIC', bit: 8 },
  { name: 'MW_BIND', bit: 16 },
  { name: 'ZERO_BASED', bit: 32 },
  { name: 'ON_DEMAND', bit: 64 },
  { name: 'HUGETLB', bit: 128 },
  { name: 'FLUSH_GLOBAL', bit: 256 },
  { name: 'FLUSH_PERSISTENT', bit: 512 },
  { name: 'RELAXED_ORDERING', bit: 0x100000 },
] as const;

/** Flags and what a check answers. */
export interface AccessRow {
  readonly flags: number;
  readonly answer: number;
}

const unknown = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 30];
const optional = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29];

/** A device that can do everything. */
export const capableRows: readonly AccessRow[] = [
  ...unknown.map((bit) => ({ flags: 2 ** bit, answer: -Errno.EINVAL })),
  ...unknown.map((bit) => ({ flags: 2 ** bit + 1, answer: -Errno.EINVAL })),
  ...optional.map((bit) => ({ flags: 2 ** bit, answer: 0 })),
  ...optional.map((bit) => ({ flags: 2 ** bit + 2, answer: -Errno.EINVAL })),
  { flags: 0x3ff00000, answer: 0 },
  { flags: 0x3ff003ff, answer: 0 },
  { flags: 0x3ff003fe, answer: -Errno.EINVAL },
  { flags: 0x000007ff, answer: -Errno.EINVAL },
];

/** A device without page faults and flushing; flags that make no sense come first. */
export const incapableRows: readonly AccessRow[] = [
  { flags: 64, answer: -Errno.EOPNOTSUPP },
  { flags: 256, answer: -Errno.EOPNOTSUPP },
  { flags: 512, answer: -Errno.EOPNOTSUPP },
  { flags: 64 + 2, answer: -Errno.EINVAL },
  { flags: 64 + 8, answer: -Errno.EINVAL },
  { flags: 64 + 1024, answer: -Errno.EINVAL },
  { flags: 64 + 1 + 2, answer: -Errno.EOPNOTSUPP },
  { flags: 128, answer: 0 },
  { flags: 2 ** 20 + 64, answer: -Errno.EOPNOTSUPP },
];

/** Memory and what it takes. */
export interface PageRow {
  readonly key: string;
  readonly iova: string;
  readonly length: number;
  readonly pages: number;
  readonly blocks: readonly (readonly [size: number, count: number])[];
}

const K64 = 0x10000;
const M2 = 0x200000;

/** It is the device address that counts, not the user's. */
export const pageRows: readonly PageRow[] = [
  {
    key: 'pages.one-byte',
    iova: '0x1000',
    length: 1,
    pages: 1,
    blocks: [
      [512, 1],
      [4096, 1],
      [K64, 1],
      [M2, 1],
    ],
  },
  {
    key: 'pages.last-byte-and-first',
    iova: '0x1fff',
    length: 2,
    pages: 2,
    blocks: [
      [512, 2],
      [K64, 1],
    ],
  },
  {
    key: 'pages.page',
    iova: '0x1000',
    length: 4096,
    pages: 1,
    blocks: [
      [512, 8],
      [K64, 1],
    ],
  },
  {
    key: 'pages.page-and-byte',
    iova: '0x1000',
    length: 4097,
    pages: 2,
    blocks: [
      [512, 9],
      [K64, 1],
    ],
  },
  { key: 'pages.odd-page', iova: '0x1001', length: 4096, pages: 2, blocks: [[512, 9]] },
  {
    key: 'pages.at-zero',
    iova: '0x0',
    length: K64,
    pages: 16,
    blocks: [
      [K64, 1],
      [M2, 1],
    ],
  },
  {
    key: 'pages.straddles-64k',
    iova: '0xf000',
    length: 0x2000,
    pages: 2,
    blocks: [
      [K64, 2],
      [M2, 1],
    ],
  },
  {
    key: 'pages.straddles-2m',
    iova: '0x1ff000',
    length: 0x2000,
    pages: 2,
    blocks: [
      [K64, 2],
      [M2, 2],
    ],
  },
  {
    key: 'pages.high',
    iova: '0x7f0000000000',
    length: 0x400000,
    pages: 1024,
    blocks: [
      [K64, 64],
      [M2, 2],
    ],
  },
  {
    key: 'pages.high-odd',
    iova: '0x7f0000000800',
    length: 0x400000,
    pages: 1025,
    blocks: [
      [K64, 65],
      [M2, 3],
    ],
  },
  {
    key: 'pages.beyond-53-bits',
    iova: '0x8000000000000800',
    length: 0x1000,
    pages: 2,
    blocks: [
      [512, 8],
      [K64, 1],
    ],
  },
];

/** A key and the next one: only the low byte counts up. */
export const keyRows: readonly (readonly [number, number])[] = [
  [0, 1],
  [0xfe, 0xff],
  [0xff, 0],
  [0x1200, 0x1201],
  [0x12ff, 0x1200],
  [0xffffff01, 0xffffff02],
  [0xffffffff, 0xffffff00],
  [0x80000000, 0x80000001],
];

/** What memory was registered with, and what is wanted of it. */
export interface ReregRow {
  readonly key: string;
  readonly access: number;
  readonly isDmabuf: boolean;
  readonly translation: boolean;
  readonly wanted: number;
  readonly answer: number;
}

const rereg = (
  key: string,
  [access, wanted]: readonly [number, number],
  answer: number,
  { isDmabuf = false, translation = false } = {},
): ReregRow => ({ key: `rereg.${key}`, access, wanted, answer, isDmabuf, translation });

/** Registering again. */
export const reregRows: readonly ReregRow[] = [
  rereg('same', [1, 1], 0),
  rereg('less', [3, 0], 0),
  rereg('read-to-read', [0, 4], 0),
  rereg('read-to-write', [0, 1], -Errno.EACCES),
  rereg('read-to-remote-write', [4, 7], -Errno.EACCES),
  rereg('read-to-atomic', [4, 13], -Errno.EACCES),
  rereg('read-to-window', [4, 16], -Errno.EACCES),
  rereg('write-to-atomic', [1, 13], 0),
  rereg('read-to-write-elsewhere', [0, 1], 0, { translation: true }),
  rereg('dmabuf', [1, 1], -Errno.EOPNOTSUPP, { isDmabuf: true }),
  rereg('dmabuf-write', [0, 1], -Errno.EOPNOTSUPP, { isDmabuf: true }),
  rereg('dmabuf-elsewhere', [1, 1], -Errno.EOPNOTSUPP, { isDmabuf: true, translation: true }),
];
