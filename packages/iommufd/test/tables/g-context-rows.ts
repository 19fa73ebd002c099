// The rows of the kernel's tests of a context as a whole, and of tables that are made wrongly, as data; they have names, no numbers.
// Source followed: selftests/iommu/iommufd.c of Linux 7.3.4.
// Simplified: the nested table is that of a driver of these tests.

import type { GAnswer } from './g-row.ts';

/** A row with its name for a key, and what each step answers. */
export interface NamedRow {
  readonly key: string;
  readonly answers: readonly GAnswer[];
}

/** Kinds of calls: the sixteen of the kernel's test, and those that it leaves out. */
const CALLS = 22;

/** The rows. */
export const CONTEXT_ROWS: readonly NamedRow[] = [
  { key: 'cmd_fail', answers: ['ENOENT', 'EFAULT', 'ENOTTY'] },
  { key: 'cmd_length', answers: ['EINVAL', CALLS, 'E2BIG', CALLS, 'the same', CALLS] },
  { key: 'cmd_ex_fail', answers: ['ENOENT', 'E2BIG', 'ENOENT', 'EINVAL'] },
  { key: 'global_options', answers: [0, 'ok', 'EINVAL', 1, 'ok', 'ENOENT', 'ENOENT'] },
  { key: 'change_process', answers: ['EINVAL', 'ok', 'ok', 'parent 0', 'child 1'] },
  { key: 'vfio_ioas', answers: ['ENODEV', 'ENOENT', 'ok', 1, 'ok', 'ENODEV'] },
  {
    key: 'alloc_hwpt_nested',
    answers: [
      ...['ENOENT', 'EINVAL', 'EOPNOTSUPP', 'EINVAL', 'EOPNOTSUPP', 'EINVAL', 'EFAULT', 'EOPNOTSUPP'],
      ...['EINVAL', 'ok', 'EINVAL', 'EBUSY', 'EBUSY', 'ok', 'ok'],
    ],
  },
  { key: 'alloc_hwpt_nested without a device', answers: ['ENOENT', 'ENOENT', 'ENOENT'] },
];
