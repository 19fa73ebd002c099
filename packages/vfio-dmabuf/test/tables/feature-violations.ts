// The ways in which a request for an export can be wrong, one by one: the number of the check that finds it, the answer,
// and what is changed in a request and a machine that are otherwise good.
// Source: p2p-dmabuf-vfio-iommufd.md D.2, checks 0 to 15.

import { Errno } from '@sgfree/mm';
import { BAR_BYTES, type VfioMachineOptions } from '../vfio-machine.ts';

const GET = 0x10000;
const SET = 0x20000;
const PROBE = 0x40000;
const PAGE = 0x1000n;
const bar = BigInt(BAR_BYTES);

/** What is changed. Two changes of one field go together only where the field is a set. */
export interface RequestChange {
  readonly argsz?: number;
  /** Bits of the header's flags that are set, that are cleared, and that must stay clear. */
  readonly set?: number;
  readonly clear?: number;
  readonly region?: number;
  readonly zero?: number;
  readonly nrRanges?: number;
  readonly readable?: number;
  /** Put in front of the ranges of later checks. */
  readonly ranges?: readonly (readonly [bigint, bigint])[];
  /** The allocation that fails, from 1 on. */
  readonly failing?: number;
  readonly gone?: true;
  readonly machine?: VfioMachineOptions;
}

/** One way to be wrong. */
export interface FeatureViolation extends RequestChange {
  readonly key: string;
  /** Number of the check. */
  readonly check: number;
  /** 0 or a negative errno. */
  readonly answer: number;
}

const range = (offset: bigint, length: bigint): Pick<RequestChange, 'ranges'> => ({
  ranges: [[offset, length]],
});
const { EFAULT, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EOVERFLOW, EMFILE } = Errno;

/** In the order of the checks. */
export const featureViolations: readonly FeatureViolation[] = [
  { key: 'header-unreadable', check: 0, answer: -EFAULT, readable: 7 },
  { key: 'argsz-below-header', check: 0, answer: -EINVAL, argsz: 7 },
  { key: 'unknown-flag', check: 0, answer: -EINVAL, set: 0x80000 },
  { key: 'get-and-set', check: 0, answer: -EINVAL, set: GET + SET, clear: PROBE },
  { key: 'no-hook', check: 1, answer: -EOPNOTSUPP, machine: { getDmabufPhys: null } },
  { key: 'set', check: 2, answer: -EINVAL, set: SET, clear: GET },
  { key: 'set-get-probe', check: 2, answer: -EINVAL, set: GET + SET + PROBE },
  { key: 'probe', check: 3, answer: 0, set: PROBE },
  { key: 'neither', check: 4, answer: -EINVAL, clear: GET + SET },
  { key: 'argsz-below-payload', check: 4, answer: -EINVAL, argsz: 23 },
  { key: 'payload-unreadable', check: 5, answer: -EFAULT, readable: 23 },
  { key: 'no-ranges', check: 6, answer: -EINVAL, nrRanges: 0 },
  { key: 'payload-flags', check: 6, answer: -EINVAL, zero: 1 },
  { key: 'region-rom', check: 7, answer: -ENODEV, region: 6 },
  { key: 'region-unclaimed', check: 7, answer: -ENODEV, region: 3 },
  { key: 'copy-no-memory', check: 8, answer: -ENOMEM, failing: 1 },
  { key: 'range-unreadable', check: 8, answer: -EFAULT, readable: 39 },
  { key: 'ranges-unreadable', check: 8, answer: -EFAULT, nrRanges: 200 },
  { key: 'length-zero', check: 9, answer: -EINVAL, ...range(0n, 0n) },
  { key: 'offset-unaligned', check: 9, answer: -EINVAL, ...range(0x800n, PAGE) },
  { key: 'length-unaligned', check: 9, answer: -EINVAL, ...range(0n, 0x1001n) },
  {
    key: 'sum-overflows',
    check: 9,
    answer: -EINVAL,
    ranges: [
      [0n, 2n ** 63n],
      [0n, 2n ** 63n],
    ],
  },
  {
    key: 'sum-bit-63',
    check: 9,
    answer: -EINVAL,
    ranges: [
      [0n, 2n ** 62n],
      [0n, 2n ** 62n],
    ],
  },
  { key: 'buffer-no-memory', check: 10, answer: -ENOMEM, failing: 2 },
  { key: 'ranges-no-memory', check: 10, answer: -ENOMEM, failing: 3 },
  { key: 'no-provider', check: 11, answer: -EINVAL, region: 1, machine: { claimedBars: [0, 1, 2] } },
  { key: 'offset-wraps', check: 12, answer: -EOVERFLOW, ...range(2n ** 64n - PAGE, PAGE) },
  { key: 'end-wraps', check: 12, answer: -EOVERFLOW, ...range(2n ** 64n - 2n ** 33n, 2n ** 33n) },
  { key: 'offset-beyond-bar', check: 13, answer: -EINVAL, ...range(bar, PAGE) },
  { key: 'end-beyond-bar', check: 13, answer: -EINVAL, ...range(0n, bar + PAGE) },
  { key: 'device-gone', check: 14, answer: -ENODEV, gone: true },
  { key: 'export-no-memory', check: 15, answer: -ENOMEM, failing: 4 },
  { key: 'no-descriptor', check: 15, answer: -EMFILE, machine: { fdLimit: 0 } },
];

const fieldsOnce = ['argsz', 'region', 'zero', 'nrRanges', 'readable', 'failing', 'gone'] as const;

/** Both at once; null when one request cannot be wrong in both ways. */
export function together(a: RequestChange, b: RequestChange): RequestChange | null {
  if (fieldsOnce.some((field) => a[field] !== undefined && b[field] !== undefined)) return null;
  const set = (a.set ?? 0) | (b.set ?? 0);
  const clear = (a.clear ?? 0) | (b.clear ?? 0);
  if ((set & clear) !== 0) return null;
  const ranges = [...(a.ranges ?? []), ...(b.ranges ?? [])];
  const machine = { ...a.machine, ...b.machine };
  return { ...a, ...b, set, clear, machine, ...(ranges.length > 0 ? { ranges } : {}) };
}
