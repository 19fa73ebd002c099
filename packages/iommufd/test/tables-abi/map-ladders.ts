// The order of refusals of the calls that map.
// Source followed: the ioctls that map, in drivers/iommu/iommufd/ioas.c.
// Simplified: for tests only.

import { type AbiWorld, ID, P } from '../abi-world.ts';
import { type Ladder, MAX, type Rung, rung } from './ladder.ts';

const LENGTH = BigInt(4 * P);

const FLAGS = rung('flags', 'EOPNOTSUPP', { flags: 8 | 7 });
const NO_PERMISSION = rung('no-permission', 'EINVAL', { flags: 1 });

/** The same for every mapping call into `mapped`, from the choice of the IOVA on. */
const placement = (iova: string): readonly Rung[] => [
  rung('length-alignment', 'EINVAL', { length: LENGTH - 1n }),
  rung('iova-alignment', 'EINVAL', { [iova]: 0x1100400n }),
  rung('iova-wrap', 'EOVERFLOW', { [iova]: MAX - 0x7ffn }),
  rung('iova-reserved', 'EINVAL', { [iova]: 0xfff000n }),
  rung('iova-above-aperture', 'EINVAL', { [iova]: 0x80000000n }),
  rung('iova-taken', 'EEXIST', { [iova]: 0x1013800n }),
];

const rightMap = (world: AbiWorld) => ({
  flags: 7,
  ioas_id: ID.mapped,
  user_va: BigInt(world.buffer),
  length: LENGTH,
  iova: 0x1100000n,
});

const rightFile = (world: AbiWorld) => ({
  flags: 7,
  ioas_id: ID.mapped,
  fd: world.memfd,
  start: 0n,
  length: LENGTH,
  iova: 0x1100000n,
});

const rightCopy = () => ({
  flags: 7,
  dst_ioas_id: ID.mapped,
  src_ioas_id: ID.plain,
  length: LENGTH,
  dst_iova: 0x1100000n,
  src_iova: 0x10000n,
});

/** Rungs stand in the order in which the kernel looks. */
export const MAP_LADDERS: readonly Ladder[] = [
  {
    key: 'map',
    call: 'iommu_ioas_map',
    right: rightMap,
    rungs: [
      FLAGS,
      rung('reserved', 'EOPNOTSUPP', { __reserved: 1 }),
      rung('iova-max', 'EOVERFLOW', { iova: MAX }),
      rung('length-max', 'EOVERFLOW', { length: MAX }),
      NO_PERMISSION,
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
      rung('other-type', 'ENOENT', { ioas_id: ID.autoHwpt }),
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('va-wrap', 'EOVERFLOW', { user_va: MAX - 0xfffn, length: LENGTH }),
      ...placement('iova'),
      rung('page-offset-alignment', 'EINVAL', { user_va: 0x700000000400n }),
      rung('no-memory', 'EFAULT', { user_va: 0x1000n }),
      {
        key: 'not-writable',
        errno: 'EFAULT',
        wrong: (world) => ({ user_va: BigInt(world.readOnly), length: BigInt(P) }),
        alone: true,
      },
    ],
  },
  {
    key: 'map-automatic',
    call: 'iommu_ioas_map',
    right: (world) => ({ ...rightMap(world), flags: 6, iova: 0n }),
    rungs: [
      rung('iova-max-not-fixed', 'EOVERFLOW', { iova: MAX }),
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('length-alignment', 'EINVAL', { length: LENGTH + 1n }),
      rung('length-half', 'EOVERFLOW', { user_va: 0n, length: 2n ** 63n }),
      rung('hint-alignment', 'EINVAL', { user_va: 0x700000000400n }),
      rung('no-room', 'ENOSPC', { length: 0x7f001000n }),
    ],
  },
  {
    key: 'map-plain',
    call: 'iommu_ioas_map',
    right: (world) => ({ ...rightMap(world), ioas_id: ID.plain, iova: 0x1n, user_va: 3n, length: 5n }),
    rungs: [
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('va-wrap', 'EOVERFLOW', { user_va: MAX, length: 2n }),
      rung('iova-wrap', 'EOVERFLOW', { iova: MAX - 1n, length: 3n }),
      rung('iova-taken', 'EEXIST', { iova: 0x13fffn }),
    ],
  },
  {
    key: 'map-file',
    call: 'iommu_ioas_map_file',
    right: rightFile,
    rungs: [
      FLAGS,
      rung('iova-max', 'EOVERFLOW', { iova: MAX }),
      rung('length-max', 'EOVERFLOW', { length: MAX }),
      NO_PERMISSION,
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('start-wrap', 'EOVERFLOW', { start: MAX - 0xffen, length: LENGTH }),
      rung('descriptor', 'EBADF', { fd: 40 }),
      rung('negative-descriptor', 'EBADF', { fd: 0xffffffff }),
      ...placement('iova'),
      rung('page-offset-alignment', 'EINVAL', { start: 0x400n }),
      { key: 'no-memfd', errno: 'EINVAL', wrong: (world) => ({ fd: world.plainFile }) },
      rung('beyond-the-file', 'EINVAL', { start: BigInt(6 * P) }),
    ],
  },
  {
    key: 'map-file-buffer',
    call: 'iommu_ioas_map_file',
    right: (world) => ({ ...rightFile(world), fd: world.lent.fd }),
    rungs: [
      FLAGS,
      rung('iova-max', 'EOVERFLOW', { iova: MAX }),
      NO_PERMISSION,
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('start-wrap', 'EOVERFLOW', { start: MAX - 0xffen, length: LENGTH }),
      rung('beyond-the-buffer', 'EINVAL', { start: BigInt(6 * P) }),
      { key: 'taken-back', errno: 'ENODEV', wrong: (world) => ({ fd: world.takenBack.fd }) },
      rung('length-alignment', 'EINVAL', { length: 0x400n }),
      rung('iova-alignment', 'EINVAL', { iova: 0x1100400n }),
      rung('iova-wrap', 'EOVERFLOW', { iova: MAX - 0x7ffn, length: 0x1000n }),
      rung('iova-reserved', 'EINVAL', { iova: 0x80000000n }),
      rung('iova-taken', 'EEXIST', { iova: 0x1010000n }),
      rung('page-offset-alignment', 'EINVAL', { start: 0x400n }),
    ],
  },
  {
    key: 'map-file-unpinned',
    call: 'iommu_ioas_map_file',
    right: (world) => ({
      ...rightFile(world),
      ioas_id: ID.plain,
      start: BigInt(100 * P),
      fd: world.plainFile,
    }),
    rungs: [rung('descriptor', 'EBADF', { fd: 63 }), rung('iova-taken', 'EEXIST', { iova: 0x10000n })],
  },
  {
    key: 'copy',
    call: 'iommu_ioas_copy',
    right: rightCopy,
    rungs: [
      FLAGS,
      rung('length-max', 'EOVERFLOW', { length: MAX }),
      rung('src-iova-max', 'EOVERFLOW', { src_iova: MAX }),
      rung('dst-iova-max', 'EOVERFLOW', { dst_iova: MAX }),
      NO_PERMISSION,
      rung('src-ioas', 'ENOENT', { src_ioas_id: ID.none }),
      rung('src-other-type', 'ENOENT', { src_ioas_id: ID.stdev }),
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('src-wrap', 'EOVERFLOW', { src_iova: MAX - 0xffen, length: LENGTH }),
      rung('src-not-covered', 'ENOENT', { src_iova: 0x13000n }),
      rung('dst-ioas', 'ENOENT', { dst_ioas_id: ID.none }),
      rung('dst-other-type', 'ENOENT', { dst_ioas_id: ID.device }),
      ...placement('dst_iova'),
      rung('not-writable', 'EPERM', { src_iova: 0x20000n }),
      rung('page-offset-alignment', 'EINVAL', { src_iova: 0x10400n, length: BigInt(2 * P) }),
    ],
  },
  {
    key: 'copy-read-only',
    call: 'iommu_ioas_copy',
    right: () => ({ ...rightCopy(), flags: 5, src_iova: 0x20000n }),
    rungs: [rung('widened', 'EPERM', { flags: 7 })],
  },
];
