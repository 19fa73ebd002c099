// Requests for an export: single fields at their borders, and what becomes of a request that is good.
// Source: p2p-dmabuf-vfio-iommufd.md D.2 (notes below the table), I.3 (29 to 32).

import { Errno } from '@sgfree/mm';
import { BAR_BYTES, type FeatureFields } from '../vfio-machine.ts';

/** A request and its answer: 0 or a negative errno, a descriptor counting as 0. */
export interface FeatureRow extends FeatureFields {
  readonly key: string;
  readonly answer: number;
}

const range = (offset: bigint, length: bigint): FeatureFields => ({ ranges: [[offset, length]] });
const bar = BigInt(BAR_BYTES);

/** One field each. */
export const featureRows: readonly FeatureRow[] = [
  { key: 'feature.good', answer: 0 },
  ...Array.from({ length: 8 }, (_, bytes) => ({
    key: `feature.readable.${bytes}`,
    answer: -Errno.EFAULT,
    readable: bytes,
  })),
  ...Array.from({ length: 8 }, (_, argsz) => ({
    key: `feature.argsz.${argsz}`,
    answer: -Errno.EINVAL,
    argsz,
  })),
  ...Array.from({ length: 16 }, (_, i) => ({
    key: `feature.argsz.${i + 8}`,
    answer: -Errno.EINVAL,
    argsz: i + 8,
  })),
  ...[24, 25, 39, 40, 4096, 0xffffffff].map((argsz) => ({ key: `feature.argsz.${argsz}`, answer: 0, argsz })),
  ...Array.from({ length: 13 }, (_, i) => ({
    key: `feature.flags.unknown-bit.${i + 19}`,
    answer: -Errno.EINVAL,
    flags: 0x1000b + 2 ** (i + 19),
  })),
  { key: 'feature.flags.none', answer: -Errno.EINVAL, flags: 0xb },
  { key: 'feature.flags.set', answer: -Errno.EINVAL, flags: 0x2000b },
  { key: 'feature.flags.get-set', answer: -Errno.EINVAL, flags: 0x3000b },
  { key: 'feature.flags.probe', answer: 0, flags: 0x4000b },
  { key: 'feature.flags.probe-get', answer: 0, flags: 0x5000b },
  { key: 'feature.flags.probe-set', answer: -Errno.EINVAL, flags: 0x6000b },
  { key: 'feature.flags.probe-get-set', answer: -Errno.EINVAL, flags: 0x7000b },
  { key: 'feature.flags.probe-short', answer: 0, flags: 0x5000b, argsz: 8, readable: 8 },
  { key: 'feature.flags.probe-nonsense', answer: 0, flags: 0x5000b, region: 99, zero: 7, nrRanges: 0 },
  ...[8, 12, 16, 20, 23].map((readable) => ({
    key: `feature.payload-readable.${readable}`,
    answer: -Errno.EFAULT,
    readable,
  })),
  ...[24, 32, 39].map((readable) => ({
    key: `feature.range-readable.${readable}`,
    answer: -Errno.EFAULT,
    readable,
  })),
  ...[1, 2, 0x80000000, 0xffffffff].map((zero) => ({
    key: `feature.payload-flags.${zero}`,
    answer: -Errno.EINVAL,
    zero,
  })),
  { key: 'feature.region.0', answer: 0, region: 0 },
  { key: 'feature.region.2', answer: 0, region: 2 },
  ...[1, 3, 4, 5, 6, 7, 8, 9, 10, 0xffffffff].map((region) => ({
    key: `feature.region.${region}`,
    answer: -Errno.ENODEV,
    region,
  })),
  { key: 'feature.range.last-page', answer: 0, ...range(bar - 0x1000n, 0x1000n) },
  { key: 'feature.range.whole-bar', answer: 0, ...range(0n, bar) },
  { key: 'feature.range.one-page-beyond', answer: -Errno.EINVAL, ...range(bar - 0x1000n, 0x2000n) },
  { key: 'feature.range.starts-at-end', answer: -Errno.EINVAL, ...range(bar, 0x1000n) },
  { key: 'feature.range.small-bar-beyond', answer: -Errno.EINVAL, region: 2, ...range(0x100000n, 0x1000n) },
  { key: 'feature.range.small-bar-whole', answer: 0, region: 2, ...range(0n, 0x100000n) },
  ...[1n, 0x200n, 0x800n, 0xfffn].flatMap((odd) => [
    { key: `feature.range.offset-odd.${odd}`, answer: -Errno.EINVAL, ...range(odd, 0x1000n) },
    { key: `feature.range.length-odd.${odd}`, answer: -Errno.EINVAL, ...range(0n, 0x1000n + odd) },
    { key: `feature.range.length-part.${odd}`, answer: -Errno.EINVAL, ...range(0n, odd) },
  ]),
  { key: 'feature.range.length-zero', answer: -Errno.EINVAL, ...range(0x1000n, 0n) },
  {
    key: 'feature.range.later-length-zero',
    answer: -Errno.EINVAL,
    ranges: [
      [0n, 0x1000n],
      [0x1000n, 0n],
    ],
  },
  {
    key: 'feature.range.wrong-after-overflow',
    answer: -Errno.EOVERFLOW,
    ranges: [
      [2n ** 64n - 0x1000n, 0x1000n],
      [bar, 0x1000n],
    ],
  },
  {
    key: 'feature.range.overflow-after-wrong',
    answer: -Errno.EINVAL,
    ranges: [
      [bar, 0x1000n],
      [2n ** 64n - 0x1000n, 0x1000n],
    ],
  },
  {
    key: 'feature.range.length-without-bit-63',
    answer: -Errno.EINVAL,
    ...range(0n, 2n ** 63n - 0x1000n),
  },
  { key: 'feature.range.bit-63', answer: -Errno.EINVAL, ...range(0n, 2n ** 63n) },
  {
    key: 'feature.range.sum-wraps-to-small',
    answer: -Errno.EINVAL,
    ranges: [
      [0n, 2n ** 63n],
      [0n, 2n ** 63n],
      [0n, 0x1000n],
    ],
  },
];

/** What a good request makes. */
export interface ExportRow {
  readonly key: string;
  readonly ranges: readonly (readonly [offset: number, length: number])[];
  readonly openFlags: number;
  /** Of the file. */
  readonly mode: number;
  readonly closesOnExec: boolean;
  readonly size: number;
}

const O_CLOEXEC = 0x80000;
const O_NONBLOCK = 0x800;
const plain = { openFlags: 2, mode: 2, closesOnExec: false } as const;

/** Ranges stay as they were given: in their order, overlapping or not. */
export const exportRows: readonly ExportRow[] = [
  { key: 'export.one', ranges: [[0x3000, 0x2000]], ...plain, size: 0x2000 },
  {
    key: 'export.backwards',
    ranges: [
      [0x5000, 0x1000],
      [0x1000, 0x1000],
    ],
    ...plain,
    size: 0x2000,
  },
  {
    key: 'export.adjacent',
    ranges: [
      [0x1000, 0x1000],
      [0x2000, 0x1000],
    ],
    ...plain,
    size: 0x2000,
  },
  {
    key: 'export.overlapping',
    ranges: [
      [0, 0x4000],
      [0x2000, 0x4000],
    ],
    ...plain,
    size: 0x8000,
  },
  {
    key: 'export.same-twice',
    ranges: [
      [0x1000, 0x1000],
      [0x1000, 0x1000],
    ],
    ...plain,
    size: 0x2000,
  },
  {
    key: 'export.many',
    ranges: Array.from({ length: 300 }, (_, i) => [(299 - i) * 0x2000, 0x1000] as const),
    ...plain,
    size: 300 * 0x1000,
  },
  {
    key: 'export.larger-than-bar',
    ranges: [
      [0, BAR_BYTES],
      [0, BAR_BYTES],
    ],
    ...plain,
    size: 2 * BAR_BYTES,
  },
  ...(
    [
      ['read-only', 0, 0, false],
      ['write-only', 1, 1, false],
      ['close-on-exec', O_CLOEXEC + 2, 2, true],
      ['non-blocking', O_NONBLOCK + 2, O_NONBLOCK + 2, false],
      ['everything', 0xffffffff, O_NONBLOCK + 3, true],
      ['nonsense', 0x7ff77000, 0, false],
    ] as const
  ).map(([name, openFlags, mode, closesOnExec]) => ({
    key: `export.open-flags.${name}`,
    ranges: [[0, 0x1000] as const],
    openFlags,
    mode,
    closesOnExec,
    size: 0x1000,
  })),
];
