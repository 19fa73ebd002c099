// The rows of the kernel's tests of mock domains and of dirty tracking as data (M01 to M08, T01 to T06), and those of the extra
// list that are about iommufd (X1 to X14).
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4; the extra rows follow the code.
// Simplified: none.

import type { GAnswer, GRow, UnmodelledRow } from './g-row.ts';

const P = 4096;

const row = (key: string, test: string, ...mock: readonly GAnswer[]): GRow => ({ key, test, mock });

/** Starts and ends of half pages within eight pages. */
const COMBINATIONS = 120;

/** With one and with two mock devices, in 4 KiB and in 2 MiB pages. */
export const MOCK_ROWS: readonly GRow[] = [
  row('M01', 'basic, of memory', 'mapped', 'ok', 'EFAULT', 'EFAULT'),
  row('M02', 'basic, of a file', 'mapped', 'ok', 'EINVAL', 'EINVAL'),
  row('M03', 'ro_unshare', 'ok', 'same frame', 'ok', 'seen'),
  // In the hugepage variants the kernel's inner loop never runs; here the same starts and ends lie in a huge page.
  row('M04', 'all_aligns', COMBINATIONS, 'right'),
  row('M05', 'all_aligns_copy', COMBINATIONS, 'right'),
  row('M06', 'user_copy', 'ok', 'ok', 'ok', 'ok', 'ok'),
  {
    ...row('M07', 'replace', 'ok', 'ENOENT', 'ok', 'ok', 'ok'),
    two: ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
  },
  row('M08', 'alloc_hwpt', 'EOPNOTSUPP', 'ok', 'ok', 'ok', 'EBUSY', 'ok', 'EBUSY', 'ok', 'ok', 'ok'),
];

/** A buffer of the dirty tracking tests. */
export interface DirtyBuffer {
  readonly bytes: number;
  readonly huge: boolean;
  /** Units of 2 KiB in an entry of the page table. */
  readonly unitsPerEntry: number;
  /** Entries that are marked. */
  readonly marked: number;
}

const KIB = 1024;
const MIB = KIB * KIB;

const dirty = (bytes: number, huge: boolean): DirtyBuffer => {
  const unitsPerEntry = huge ? 512 : 2;
  return { bytes, huge, unitsPerEntry, marked: Math.max(1, bytes / 2048 / (2 * unitsPerEntry)) };
};

/** All buffers of the kernel's variants. */
export const DIRTY_BUFFERS: readonly DirtyBuffer[] = [
  ...[8, 16, 64, 128, 320].map((kib) => dirty(kib * KIB, false)),
  dirty(64 * MIB, false),
  dirty(64 * MIB, true),
  dirty(128 * MIB, false),
  dirty(128 * MIB, true),
];

/** How far behind the start of a page the bitmap begins. */
export const BITMAP_OFFSETS: readonly number[] = [0, 2048, 0xff1];

/** Rows on the dirty record; T05 and T06 are tried with every buffer. */
export const DIRTY_ROWS: readonly GRow[] = [
  row('T01', 'enforce_dirty', 'ok', 'ok', 'EINVAL', 'EOPNOTSUPP'),
  row('T02', 'set_dirty_tracking', 'ok', 'ok'),
  row('T04', 'device_dirty_capability', 1, 0),
  row('T05', 'get_dirty_bitmap', 'alternating', 'clean', 'alternating', 'clean', 'alternating', 'clean'),
  row('T06', 'get_dirty_bitmap_no_clear', ...new Array<string>(6).fill('alternating')),
];

/** Rows that no suite of the kernel has. */
export const EXTRA_ROWS: readonly GRow[] = [
  row('X1', 'memory taken back and given out again', 0x1000000, 'shown', 'gone', 'gone', 4 * P, 'shown'),
  row('X2', 'taken back before anybody came', 'ENODEV', 0x1000000),
  row('X5', 'a buffer of two ranges', 'EOPNOTSUPP', 'not attached'),
  row('X9', 'taken back and at once given out again', 0x1000000, 'shown', 'gone', 0x1004000, 'shown'),
  row('X10', 'a copy in another address space', 'shown', 'shown', 'gone', 'gone', 4 * P, 4 * P),
  row('X11', 'an access to a buffer', 'EINVAL', 'EINVAL', 'EINVAL'),
  row('X12', 'an uverbs buffer', 'EOPNOTSUPP', 'pin', 'not attached'),
  row('X13', 'taken back before a device comes', 0x4000, 'ok', 'gone', 4 * P),
  row('X14', 'a dirty bitmap over a hole', 'ok', 'ok', 'ok'),
];

/** What this package cannot carry out, and why. */
export const UNMODELLED_ROWS: readonly UnmodelledRow[] = [
  { key: 'T03', test: 'dirty tracking of a PASID', why: 'no PASIDs' },
  { key: 'X3', test: 'a static importer of a VFIO buffer', why: 'no iommufd in it' },
  { key: 'X4', test: 'a dynamic importer without a callback', why: 'no iommufd in it' },
  { key: 'X6', test: 'bus addresses of a buffer of two ranges', why: 'no iommufd in it' },
  { key: 'X7', test: 'one range of 8 GiB', why: 'no iommufd in it' },
  { key: 'X8', test: 'mapping in a callback of giving out again', why: 'no iommufd in it' },
];
