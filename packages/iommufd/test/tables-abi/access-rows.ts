// What pinning and reading by IOVA answer, in the order in which the kernel looks: of two things wrong, the first decides.
// Source followed: iommufd_access_pin_pages and iommufd_access_rw in drivers/iommu/iommufd/device.c.
// Simplified: for tests only.

import type { ErrnoName } from '@sgfree/mm';
import { P } from '../abi-world.ts';

/** A use of memory on address space `plain` of a populated world, with an area of 4 pages at 0x10000 and a read-only one at 0x20000. */
export interface AccessRow {
  /** Stable. */
  readonly key: string;
  readonly use: 'pin' | 'rw';
  readonly iova: bigint;
  /** Bytes. */
  readonly length: bigint;
  readonly write: boolean;
  readonly attached: boolean;
  readonly errno: ErrnoName | null;
}

const row = (
  key: string,
  use: 'pin' | 'rw',
  errno: ErrnoName | null,
  place: readonly [iova: bigint, length: bigint],
  options: { readonly write?: boolean; readonly attached?: boolean } = {},
): AccessRow => ({
  key,
  use,
  errno,
  iova: place[0],
  length: place[1],
  write: options.write ?? false,
  attached: options.attached ?? true,
});

const NEAR_END = 2n ** 64n - 0x1000n;
const FOUR = BigInt(4 * P);

/** All uses. */
export const ACCESS_ROWS: readonly AccessRow[] = [
  row('pin', 'pin', null, [0x10000n, FOUR], { write: true }),
  row('pin-part', 'pin', null, [0x11000n, BigInt(P)]),
  row('pin-read-only', 'pin', null, [0x20000n, FOUR]),
  row('pin-no-length', 'pin', 'EINVAL', [NEAR_END, 0n], { attached: false }),
  row('pin-wrap', 'pin', 'EOVERFLOW', [NEAR_END, 0x1001n], { attached: false }),
  row('pin-detached', 'pin', 'ENOENT', [0x10001n, FOUR], { attached: false }),
  row('pin-unaligned-start', 'pin', 'EINVAL', [0x20800n, 0x800n], { write: true }),
  row('pin-not-writable', 'pin', 'EPERM', [0x20000n, FOUR], { write: true }),
  row('pin-nothing', 'pin', 'ENOENT', [0x30000n, BigInt(P)]),
  row('pin-past-the-area', 'pin', 'ENOENT', [0x12000n, FOUR]),
  row('pin-gap-after-permission', 'pin', 'EPERM', [0x22000n, FOUR], { write: true }),
  row('rw-read', 'rw', null, [0x10123n, 0x777n]),
  row('rw-write', 'rw', null, [0x10123n, 0x777n], { write: true }),
  row('rw-no-length', 'rw', 'EINVAL', [NEAR_END, 0n], { attached: false }),
  row('rw-wrap', 'rw', 'EOVERFLOW', [NEAR_END, 0x1001n], { attached: false }),
  row('rw-detached', 'rw', 'ENOENT', [0x20000n, 1n], { write: true, attached: false }),
  row('rw-not-writable', 'rw', 'EPERM', [0x20fffn, 2n], { write: true }),
  row('rw-nothing', 'rw', 'ENOENT', [0xffffn, 2n]),
  row('rw-past-the-area', 'rw', 'ENOENT', [0x13ff0n, 0x20n]),
];
