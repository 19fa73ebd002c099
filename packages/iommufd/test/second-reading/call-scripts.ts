// Unmapping in all its forms, copies, options, page tables and numbers.
// Source followed: main.c, ioas.c, io_pagetable.c and hw_pagetable.c in drivers/iommu/iommufd, read anew.
// Simplified: for tests only.

import {
  APERTURE,
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
  type Script,
  type Step,
  unmap,
  VA,
} from './script.ts';

const THREE: readonly Step[] = [mapAt(VA, P, 0x10000n), mapAt(VA, P, 0x12000n), mapAt(VA, 2n * P, 0x15000n)];

/** Unmapping. */
export const UNMAPPING: readonly Script[] = [
  {
    key: 'across-holes',
    steps: [...THREE, unmap(0x10000n, 0x7000n, 0x4000n), unmap(0x10000n, 0x7000n, 'ENOENT')],
  },
  { key: 'window-starts-and-ends-in-holes', steps: [...THREE, unmap(0xf123n, 0x4001n, 0x2000n)] },
  {
    key: 'cut-at-the-end-keeps-what-is-done',
    steps: [
      ...THREE,
      unmap(0x10000n, 0x6000n, 'ENOENT'),
      unmap(0x10000n, 0x3000n, 'ENOENT'),
      unmap(0x15000n, 0x2000n, 0x2000n),
    ],
  },
  {
    key: 'cut-at-the-start-does-nothing',
    steps: [...THREE, unmap(0x10001n, 0x6fffn, 'ENOENT'), unmap(0n, MAX, 0x4000n)],
  },
  {
    key: 'cut-in-the-middle',
    steps: [...THREE, unmap(0x15800n, 0x800n, 'ENOENT'), unmap(0x15fffn, 2n, 'ENOENT')],
  },
  { key: 'everything', steps: [...THREE, unmap(0n, MAX, 0x4000n), unmap(0n, MAX, 0n)] },
  {
    key: 'nearly-everything',
    steps: [
      ...THREE,
      mapAt(VA, P, MAX - 0xfffn),
      unmap(0n, MAX - 1n, 'ENOENT'),
      unmap(0x10000n, 0x7000n, 'ENOENT'),
      unmap(0n, MAX, P),
    ],
  },
  {
    key: 'last-byte',
    steps: [
      mapAt(VA, 2n, MAX - 1n),
      unmap(MAX - 1n, 1n, 'ENOENT'),
      unmap(MAX - 2n, 3n, 2n),
      unmap(MAX - 1n, 2n, 'ENOENT'),
    ],
  },
  {
    key: 'numbers-that-do-not-fit',
    steps: [
      ...THREE,
      unmap(1n, MAX, 'EOVERFLOW'),
      unmap(MAX, MAX, 'EOVERFLOW'),
      unmap(MAX, 1n, 'EOVERFLOW'),
      unmap(MAX, 0n, 'EOVERFLOW'),
      unmap(MAX - 1n, 3n, 'EOVERFLOW'),
      unmap(0n, 0n, 'EINVAL'),
      unmap(0x10000n, 0n, 'EINVAL'),
      unmap(MAX, MAX, 'ENOENT', 9),
      unmap(0n, MAX, 'ENOENT', 9),
    ],
  },
  {
    key: 'nothing-there',
    steps: [unmap(0n, 1n, 'ENOENT'), unmap(MAX - 1n, 2n, 'ENOENT'), unmap(0n, MAX, 0n)],
  },
  {
    key: 'bytes',
    steps: [mapAt(VA + 0x123n, 3n, 0x1123n), unmap(0x1122n, 3n, 'ENOENT'), unmap(0x1122n, 5n, 3n)],
  },
  {
    key: 'of-copies-one-by-one',
    steps: [
      attach(),
      mapAt(VA, 4n * P, APERTURE),
      copy(APERTURE, 4n * P, APERTURE + 0x10000n),
      unmap(APERTURE, 4n * P, 4n * P),
      copy(APERTURE + 0x11000n, 2n * P, APERTURE + 0x800n),
      unmap(APERTURE + 0x10000n, 4n * P, 4n * P),
      unmap(0n, MAX, 2n * P),
    ],
  },
];

const TWO: readonly Step[] = [mapAt(VA, 2n * P, 0x10000n), mapAt(VA + 0x8000n, 2n * P, 0x12000n, null, 5)];

/** Copying. */
export const COPYING: readonly Script[] = [
  {
    key: 'over-two-areas-makes-two',
    steps: [
      ...TWO,
      copy(0x11000n, 0x2000n, 0x20000n, null, { access: 4 }),
      unmap(0x20000n, 0x800n, 'ENOENT'),
      unmap(0x20000n, P, P),
      unmap(0x21000n, P, P),
    ],
  },
  {
    key: 'gap',
    steps: [
      ...TWO,
      copy(0x13000n, 0x1001n, 0x20000n, 'ENOENT', { access: 4 }),
      copy(0xffffn, 2n, 0x20000n, 'ENOENT'),
      unmap(0x12000n, 0x2000n, 0x2000n),
      copy(0x10000n, 0x2001n, 0x20000n, 'ENOENT'),
      copy(0x10000n, 0x2000n, 0x20000n),
    ],
  },
  {
    key: 'no-write-to-pages-that-are-not-writable',
    steps: [
      ...TWO,
      copy(0x12000n, P, 0x20000n, 'EPERM'),
      copy(0x12000n, P, 0x20000n, 'EPERM', { access: 2 }),
      copy(0x12000n, P, 0x10000n, 'EEXIST'),
      copy(0x11000n, 0x2000n, 0x20000n, 'EPERM'),
      copy(0x12000n, P, 0x20000n, null, { access: 4 }),
      unmap(0n, MAX, 5n * P),
    ],
  },
  {
    key: 'a-narrowed-permission-can-be-widened-again',
    steps: [
      ...TWO,
      copy(0x10000n, P, 0x20000n, null, { access: 4 }),
      copy(0x20000n, P, 0x30000n, null, { access: 6 }),
      copy(0x30000n, P, 0x40000n, null, { access: 2 }),
    ],
  },
  {
    key: 'source-before-destination',
    steps: [
      ...TWO,
      copy(0x10000n, 0n, 0x20000n, 'EINVAL', { dst: 9 }),
      copy(MAX - 5n, 7n, 0x20000n, 'EOVERFLOW', { dst: 9 }),
      copy(0x50000n, P, 0x20000n, 'ENOENT'),
      copy(0x10000n, P, 0x20000n, 'ENOENT', { dst: 9 }),
      copy(0x10000n, 0n, 0x20000n, 'ENOENT', { src: 9 }),
      copy(0x10000n, P, 0x20000n, 'EINVAL', { access: 0, src: 9 }),
      copy(MAX, P, 0x20000n, 'EOVERFLOW', { access: 0 }),
      copy(0x10000n, MAX, 0x20000n, 'EOVERFLOW', { access: 0 }),
      copy(0x10000n, P, MAX, 'EOVERFLOW', { access: 0 }),
      copy(MAX, MAX, MAX, 'EOPNOTSUPP', { access: 8 }),
      unmap(0n, MAX, 4n * P),
    ],
  },
  {
    key: 'destination-with-a-device',
    steps: [
      mapAt(VA + 0x400n, 2n * P, 0x10400n),
      newIoas(2),
      attach(2),
      copy(0x10400n, 0x400n, APERTURE, 'EINVAL', { dst: 2 }),
      copy(0x10400n, 0x800n, APERTURE, 'EINVAL', { dst: 2 }),
      copy(0x10400n, 0x800n, null, 'EINVAL', { dst: 2 }),
      copy(0x10800n, 0x800n, APERTURE, null, { dst: 2 }),
      copy(0x10800n, 0x800n, APERTURE, 'EEXIST', { dst: 2 }),
      copy(0x11000n, 0x800n, null, 0x1000800n, { dst: 2 }),
      unmap(0n, MAX, 0x1000n, 2),
    ],
  },
];

/** Options. */
export const OPTIONS: readonly Script[] = [
  {
    key: 'large-pages',
    steps: [
      hugePages(1, 7n, 1n),
      hugePages(0, 0n, 0n),
      hugePages(0, 0n, 0n),
      hugePages(1, 7n, 0n),
      hugePages(0, 2n, 'EINVAL'),
      hugePages(0, MAX, 'EINVAL'),
      hugePages(0, 2n ** 32n, 'EINVAL'),
      hugePages(2, 0n, 'EOPNOTSUPP'),
      hugePages(1, 0n, 0n),
    ],
  },
  {
    key: 'small-areas-keep-large-pages',
    steps: [
      mapAt(VA, 0x800n, 0x1000n),
      hugePages(0, 0n, 'EADDRINUSE'),
      hugePages(1, 0n, 1n),
      offer(1, [[0n, MAX]], { alignment: 1 }),
    ],
  },
  {
    key: 'what-is-in-a-table-keeps-large-pages',
    steps: [
      attach(),
      mapAt(VA, P, APERTURE),
      hugePages(0, 0n, 'EINVAL'),
      unmap(APERTURE, P, P),
      hugePages(0, 0n, 0n),
      mapAt(VA, P, APERTURE),
      hugePages(0, 0n, 0n),
      hugePages(0, 1n, 1n),
      hugePages(0, 0n, 'EINVAL'),
    ],
  },
  {
    key: 'what-is-charged-to-whom',
    steps: [
      call('iommu_option', { option_id: 0, op: 0, val64: 2n }, 'EBUSY'),
      call('iommu_option', { option_id: 0, op: 1, object_id: 1 }, 'EOPNOTSUPP'),
      call('iommu_option', { option_id: 0, op: 2 }, 'EOPNOTSUPP'),
      call('iommu_option', { option_id: 2, op: 1, object_id: 1 }, 'EOPNOTSUPP'),
      call('iommu_option', { option_id: 1, op: 2, object_id: 9 }, 'ENOENT'),
      destroy(1),
      call('iommu_option', { option_id: 0, op: 0, val64: 2n }, 'EINVAL'),
      call('iommu_option', { option_id: 0, op: 0, val64: 1n }, { val64: 1n }),
      call('iommu_option', { option_id: 0, op: 1, val64: 7n }, { val64: 1n }),
    ],
  },
];

const hwpt = (fields: Record<string, number | bigint>, end: Parameters<typeof call>[2]): Step =>
  call('iommu_hwpt_alloc', { dev_id: 3, pt_id: 1, ...fields }, end);

/** Page tables and numbers. */
export const OBJECTS: readonly Script[] = [
  {
    key: 'numbers-are-the-lowest-free',
    steps: [
      newIoas(2),
      newIoas(3),
      newIoas(4),
      destroy(2),
      destroy(3),
      destroy(3, 'ENOENT'),
      newIoas(2),
      newIoas(3),
      newIoas(5),
    ],
  },
  {
    key: 'no-such-object',
    steps: [
      destroy(0, 'ENOENT'),
      destroy(2, 'ENOENT'),
      destroy(0x7fffffff, 'ENOENT'),
      destroy(0xffffffff, 'ENOENT'),
    ],
  },
  {
    key: 'areas-do-not-keep-an-address-space',
    steps: [mapAt(VA, P, 0n), destroy(1), unmap(0n, MAX, 'ENOENT')],
  },
  {
    key: 'who-keeps-whom',
    steps: [
      attach(),
      destroy(1, 'EBUSY'),
      destroy(3, 'EBUSY'),
      destroy(4, 'EBUSY'),
      destroy(2),
      destroy(2, 'ENOENT'),
      destroy(3, 'ENOENT'),
      destroy(4, 'ENOENT'),
      destroy(1),
    ],
  },
  {
    key: 'tables-made-by-hand-stay',
    steps: [
      attach(),
      hwpt({}, { out_hwpt_id: 5 }),
      attach(5),
      destroy(5, 'EBUSY'),
      destroy(6),
      destroy(2),
      destroy(4, 'ENOENT'),
      destroy(1, 'EBUSY'),
      destroy(5),
      destroy(1),
    ],
  },
  {
    key: 'devices-share-the-table-of-the-address-space',
    steps: [
      attach(),
      attach(),
      destroy(4, 'EBUSY'),
      destroy(2),
      destroy(4, 'EBUSY'),
      destroy(5),
      destroy(4, 'ENOENT'),
      newIoas(2),
    ],
  },
  {
    key: 'what-cannot-be-attached-to',
    steps: [attach(9, 'ENOENT'), attach(), attach(3, 'EINVAL'), attach(2, 'EINVAL'), newIoas(5)],
  },
  {
    key: 'recording-tables',
    steps: [
      attach(),
      hwpt({ flags: 2 }, { out_hwpt_id: 5 }),
      attach(5, 'EINVAL', false),
      attach(5),
      attach(1, null, false),
      call('iommu_hwpt_alloc', { dev_id: 9, pt_id: 1, flags: 2 }, 'EOPNOTSUPP'),
    ],
  },
  {
    key: 'tables-in-the-order-of-refusals',
    steps: [
      attach(),
      hwpt({ dev_id: 9, data_len: 1, flags: 16 }, 'EINVAL'),
      hwpt({ dev_id: 9, data_type: 1, flags: 16 }, 'EINVAL'),
      hwpt({ dev_id: 1, pt_id: 9, flags: 16 }, 'ENOENT'),
      hwpt({ dev_id: 9, flags: 16 }, 'ENOENT'),
      hwpt({ pt_id: 9, flags: 16 }, 'EINVAL'),
      hwpt({ pt_id: 0, flags: 16 }, 'EINVAL'),
      hwpt({ pt_id: 3, flags: 16 }, 'EINVAL'),
      hwpt({ pt_id: 2 }, 'EINVAL'),
      hwpt({ flags: 16 }, 'EOPNOTSUPP'),
      hwpt({ flags: 0x80000000 }, 'EOPNOTSUPP'),
      hwpt({ flags: 5, fault_id: 9 }, 'EOPNOTSUPP'),
      hwpt({ flags: 4, fault_id: 9 }, 'ENOENT'),
      hwpt({ flags: 4, fault_id: 1 }, 'ENOENT'),
      hwpt({ fault_id: 9, __reserved2: 1 }, { out_hwpt_id: 5 }),
      hwpt({ pt_id: 5 }, 'EOPNOTSUPP'),
      hwpt({ flags: 11 }, { out_hwpt_id: 6 }),
    ],
  },
  {
    key: 'a-table-that-has-no-room-leaves-nothing',
    steps: [
      newIoas(2),
      attach(2),
      mapAt(VA, P, 0x5000n),
      call('iommu_hwpt_alloc', { dev_id: 4, pt_id: 1 }, 'EADDRINUSE'),
      offer(1, [[0n, MAX]], { alignment: 1 }),
      unmap(0n, MAX, P),
      mapAt(0x5000n, P, APERTURE),
      call('iommu_hwpt_alloc', { dev_id: 4, pt_id: 1 }, 'EFAULT'),
      offer(1, [[0n, MAX]], { alignment: 1 }),
      unmap(0n, MAX, P),
      call('iommu_hwpt_alloc', { dev_id: 4, pt_id: 1 }, { out_hwpt_id: 6 }),
      offer(1, [[APERTURE, 0x7fffffffn]], { alignment: 2048 }),
      map(VA, P, APERTURE),
    ],
  },
];
