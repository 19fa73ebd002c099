// Where mappings may lie and where automatic ones come to lie: the ends of the space, holes, offsets in the page.
// Source followed: iopt_alloc_iova, iopt_check_iova and iopt_set_allow_iova in io_pagetable.c of iommufd, read anew.
// Simplified: for tests only.

import {
  APERTURE,
  allow,
  attach,
  call,
  copy,
  destroy,
  hugePages,
  MAX,
  map,
  mapAt,
  newIoas,
  offer,
  P,
  reserve,
  type Script,
  unmap,
  VA,
} from './script.ts';

const WHOLE = [0n, MAX] as const;
const MOCK = [APERTURE, 0x7fffffffn] as const;
/** Up to and without the last byte of the space. */
const UP_TO_END = (from: bigint): bigint => MAX - from;

/** Automatic IOVAs. */
export const AUTOMATIC: readonly Script[] = [
  { key: 'hint-zero-one-byte', steps: [map(0n, 1n, 0x1000n), map(0n, 1n, 0x1001n), map(0n, 1n, 0x1002n)] },
  {
    key: 'more-than-a-huge-page',
    steps: [map(VA, 0x200001n, 0x200000n), map(VA, 0x200000n, 0x600000n), map(VA, P, 0x1000n)],
  },
  {
    key: 'offset-is-ored',
    steps: [
      map(VA + 0xc00n, 0x200n, 0x1c00n),
      map(VA + 0xc00n, 0x200n, 0x1e00n),
      map(VA + 0xc00n, 0x200n, 0x2c00n),
    ],
  },
  {
    key: 'hole-of-one-byte',
    steps: [
      reserve(0n, 0x2000n),
      reserve(0x2001n, UP_TO_END(0x2000n)),
      offer(4, [[0x2000n, 0x2000n]]),
      map(0n, 1n, 'ENOSPC'),
      mapAt(0n, 1n, 0x2000n),
    ],
  },
  {
    key: 'hole-of-two-bytes',
    steps: [
      reserve(0n, 0x2000n),
      reserve(0x2002n, UP_TO_END(0x2001n)),
      map(0n, 2n, 0x2000n),
      map(0n, 1n, 'ENOSPC'),
    ],
  },
  {
    key: 'hole-too-small-by-one-byte',
    steps: [
      reserve(0n, 0x4000n),
      reserve(0x4fffn, UP_TO_END(0x4ffen)),
      map(VA, P, 'ENOSPC'),
      map(VA, P - 1n, 0x4000n),
    ],
  },
  {
    key: 'first-page-only-allowed',
    steps: [allow([[0n, 0xfffn]]), map(VA, P, 'ENOSPC'), map(0n, 1n, 'ENOSPC'), mapAt(VA, P, 0n)],
  },
  { key: 'two-pages-allowed', steps: [allow([[0n, 0x1fffn]]), map(VA, P, 0x1000n), map(VA, P, 'ENOSPC')] },
  {
    key: 'last-pages-allowed',
    steps: [
      allow([[MAX - 0x1fffn, MAX]]),
      map(VA, P, MAX - 0x1fffn),
      map(VA, P, 'ENOSPC'),
      mapAt(VA, P, MAX - 0xfffn),
    ],
  },
  {
    key: 'last-page-only-allowed',
    steps: [allow([[MAX - 0xfffn, MAX]]), map(VA, P, 'ENOSPC'), map(0n, 1n, 'ENOSPC')],
  },
  {
    key: 'neighbouring-allowed-ranges-are-one',
    steps: [
      allow([
        [0x11000n, 0x11fffn],
        [0x10000n, 0x10fffn],
      ]),
      map(VA, 0x2000n, 0x10000n),
    ],
  },
  {
    key: 'allowed-ranges-apart-are-two',
    steps: [
      allow([
        [0x12000n, 0x13fffn],
        [0x10000n, 0x10fffn],
      ]),
      map(VA, 0x2000n, 0x12000n),
      map(VA, P, 0x10000n),
      map(VA, P, 'ENOSPC'),
    ],
  },
  {
    key: 'allowed-range-starts-unaligned',
    steps: [allow([[0x10001n, 0x13fffn]]), map(VA, P, 0x11000n), map(VA, 0x2000n, 0x12000n)],
  },
  {
    key: 'half-the-space',
    steps: [
      map(0n, 2n ** 63n - 1n, 'EOVERFLOW'),
      map(0n, 2n ** 63n - 2n, 0x200000n),
      map(0n, 2n ** 63n - 2n, 'ENOSPC'),
    ],
  },
  {
    key: 'holes-that-areas-and-reservations-make',
    steps: [
      reserve(0x3000n, P),
      reserve(0x2800n, P),
      mapAt(VA, P, 0x5000n),
      map(VA, P, 0x1000n),
      map(VA, P, 0x4000n),
      map(VA, P, 0x6000n),
      unmap(0x5000n, P, P),
      map(VA, P, 0x5000n),
    ],
  },
  {
    key: 'less-aligned-than-the-device',
    steps: [
      attach(),
      map(VA + 0x400n, 0x800n, 'EINVAL'),
      map(VA + 0x800n, 0x800n, 0x1000800n),
      map(VA, 0x800n, APERTURE),
      map(VA, 0x801n, 'EINVAL'),
      map(VA, 0n, 'EINVAL'),
    ],
  },
  {
    key: 'files-by-offset',
    steps: [
      call(
        'iommu_ioas_map_file',
        { ioas_id: 1, flags: 6, fd: 0, start: 0x3000n, length: 0x4000n },
        { iova: 0x1000n },
      ),
      call(
        'iommu_ioas_map_file',
        { ioas_id: 1, flags: 6, fd: 0, start: 0n, length: 0x4000n },
        { iova: 0x8000n },
      ),
      call(
        'iommu_ioas_map_file',
        { ioas_id: 1, flags: 6, fd: 0, start: 0x1801n, length: 2n },
        { iova: 0x5801n },
      ),
      call(
        'iommu_ioas_map_file',
        { ioas_id: 1, flags: 6, fd: 1, start: 0x10n ** 15n, length: P },
        { iova: 0x6000n },
      ),
    ],
  },
  {
    key: 'copies-by-the-first-source',
    steps: [
      mapAt(VA, 0x4000n, 0x100000n),
      copy(0x101000n, 0x1000n, null, 0x1000n),
      copy(0x102000n, 0x2000n, null, 0x2000n),
      copy(0x100001n, 0x10n, null, 0x4001n),
      copy(0x100000n, 0x4000n, null, 0x8000n),
      copy(0x8000n, 0x4000n, null, 0xc000n),
    ],
  },
];

/** IOVAs that the caller chooses. */
export const FIXED: readonly Script[] = [
  { key: 'zero', steps: [mapAt(VA, P, 0n), map(VA, P, 0x1000n), unmap(0n, P, P)] },
  {
    key: 'end-of-the-space',
    steps: [
      mapAt(VA, P, MAX - 0xfffn),
      mapAt(VA, P, MAX - 0xffen, 'EOVERFLOW'),
      mapAt(VA, 1n, MAX, 'EOVERFLOW'),
      mapAt(VA, MAX, 0n, 'EOVERFLOW'),
      mapAt(VA, 1n, MAX - 1n, 'EEXIST'),
      mapAt(VA, MAX - 0xfffn, 0n, 'EOVERFLOW'),
      mapAt(0n, MAX - 0xfffn, 0n, 'EINVAL'),
      mapAt(0n, MAX - 0x1000n, 0n),
    ],
  },
  {
    key: 'touching-areas',
    steps: [
      mapAt(VA, 3n, 0x1001n),
      mapAt(VA, 1n, 0x1000n),
      mapAt(VA, 1n, 0x1004n),
      mapAt(VA, 1n, 0x1003n, 'EEXIST'),
      mapAt(VA, 5n, 0xffen, 'EEXIST'),
      unmap(0x1000n, 5n, 5n),
    ],
  },
  {
    key: 'order-with-a-device',
    steps: [
      attach(),
      mapAt(VA, P, APERTURE),
      mapAt(VA, 0x800n, MAX - 0x6ffn, 'EINVAL'),
      mapAt(VA, P, MAX - 0x7ffn, 'EOVERFLOW'),
      mapAt(VA, P, APERTURE - 0x800n, 'EINVAL'),
      mapAt(VA, P, 0x7ffff800n, 'EINVAL'),
      mapAt(VA, P, 0x7ffff000n),
      mapAt(VA + 0x400n, P, APERTURE, 'EEXIST'),
      mapAt(VA + 0x400n, P, APERTURE + P, 'EINVAL'),
      mapAt(0x5000n, P, APERTURE + P, 'EFAULT'),
      mapAt(VA, P, APERTURE + P),
    ],
  },
  {
    key: 'not-confined-by-allowed-ranges',
    steps: [
      allow([[0x10000n, 0x1ffffn]]),
      mapAt(VA, P, 0x50000n),
      reserve(0x60000n, P),
      mapAt(VA, P, 0x60000n, 'EINVAL'),
    ],
  },
];

/** What is offered, allowed and reserved. */
export const OFFERS: readonly Script[] = [
  {
    key: 'whole-space',
    steps: [offer(1, [WHOLE], { alignment: 1 }), offer(0, [], { total: 1, alignment: 1 })],
  },
  {
    key: 'no-account-of-areas-and-allowed-ranges',
    steps: [mapAt(VA, P, 0x5000n), allow([[0x10000n, 0x1ffffn]]), offer(1, [WHOLE], { alignment: 1 })],
  },
  {
    key: 'reservations-overlap',
    steps: [
      reserve(0x3000n, 0x2000n),
      reserve(0x4000n, 0x2000n),
      reserve(0x6000n, P),
      reserve(0n, 1n),
      offer(1, [[1n, 0x2fffn]], { total: 2 }),
      offer(
        2,
        [
          [1n, 0x2fffn],
          [0x7000n, MAX],
        ],
        { alignment: 1 },
      ),
    ],
  },
  {
    key: 'everything-reserved',
    steps: [reserve(0n, MAX), reserve(MAX, 1n), offer(1, []), map(VA, P, 'ENOSPC')],
  },
  {
    key: 'alignment-rises-and-falls-with-devices',
    steps: [attach(), offer(1, [MOCK], { alignment: 2048 }), destroy(2), offer(1, [WHOLE], { alignment: 1 })],
  },
  {
    key: 'alignment-of-small-pages',
    steps: [
      hugePages(0, 0n, 0n),
      offer(1, [WHOLE], { alignment: 4096 }),
      mapAt(VA, P, 0x1800n, 'EINVAL'),
      mapAt(VA + 0x800n, P, 0x1000n, 'EINVAL'),
      attach(),
      offer(1, [MOCK], { alignment: 4096 }),
      hugePages(0, 1n, 1n),
      offer(1, [MOCK], { alignment: 2048 }),
    ],
  },
  {
    key: 'allowed-lists-that-are-refused-leave-the-old-one',
    steps: [
      allow([[0x10000n, 0x1ffffn]]),
      allow([[5n, 5n]], 'EINVAL'),
      allow([[6n, 5n]], 'EINVAL'),
      allow(
        [
          [0x30000n, 0x30fffn],
          [0x30fffn, 0x31000n],
        ],
        'EINVAL',
      ),
      allow(
        [
          [0x30000n, 0x30fffn],
          [0x40000n, 0x40000n],
        ],
        'EINVAL',
      ),
      reserve(0x90000n, P),
      allow([[0x80000n, 0x90000n]], 'EADDRINUSE'),
      map(VA, P, 0x10000n),
      allow([[0x80000n, 0x8ffffn]]),
      map(VA, P, 0x80000n),
      allow([]),
      map(VA, P, 0x1000n),
      allow([[5n, 6n]]),
    ],
  },
  {
    key: 'reservations-respect-areas-and-allowed-ranges',
    steps: [
      allow([[0x10000n, 0x10fffn]]),
      reserve(0xf000n, P + 1n, 'EADDRINUSE'),
      reserve(0xf000n, P),
      reserve(0x10fffn, 1n, 'EADDRINUSE'),
      mapAt(VA, P, 0x20000n),
      reserve(0x20fffn, P, 'EADDRINUSE'),
      reserve(0x21000n, P),
      reserve(0n, 0n, 'EINVAL'),
      reserve(2n, MAX, 'EOVERFLOW'),
      reserve(MAX, 2n, 'EOVERFLOW'),
    ],
  },
  {
    key: 'devices-respect-areas-and-allowed-ranges',
    steps: [
      mapAt(VA, P, 0x5000n),
      attach(1, 'EADDRINUSE'),
      offer(1, [WHOLE], { alignment: 1 }),
      unmap(0x5000n, P, P),
      allow([[APERTURE - 1n, APERTURE]]),
      attach(1, 'EADDRINUSE'),
      allow([[0x7fffffffn, 0x80000000n]]),
      attach(1, 'EADDRINUSE'),
      offer(1, [WHOLE], { alignment: 1 }),
      mapAt(VA, P, APERTURE + 0x400n),
      allow([MOCK]),
      attach(1, 'EADDRINUSE'),
      unmap(APERTURE, 0x2000n, P),
      mapAt(VA + 0x400n, P, APERTURE),
      attach(1, 'EADDRINUSE'),
      unmap(APERTURE, P, P),
      mapAt(VA, 0x7ffn, APERTURE),
      attach(1, 'EADDRINUSE'),
      unmap(APERTURE, P, 0x7ffn),
      mapAt(VA + 0x800n, 0x800n, APERTURE + 0x1800n),
      newIoas(2),
      attach(),
      offer(1, [MOCK], { alignment: 2048 }),
    ],
  },
];
