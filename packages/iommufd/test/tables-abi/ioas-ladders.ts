// The order of refusals of the calls on address spaces, options and processes.
// Source followed: main.c, ioas.c and io_pagetable.c in drivers/iommu/iommufd.
// Simplified: for tests only.

import { ID, P } from '../abi-world.ts';
import { type Ladder, loneRung, MAX, rung } from './ladder.ts';

const RESERVED = rung('reserved', 'EOPNOTSUPP', { __reserved: 1 });
const NO_MEMORY = 0x1000n;

/** Rungs stand in the order in which the kernel looks. */
export const IOAS_LADDERS: readonly Ladder[] = [
  {
    key: 'destroy',
    call: 'iommu_destroy',
    right: () => ({ id: ID.plain }),
    rungs: [
      rung('unknown', 'ENOENT', { id: ID.none }),
      rung('zero', 'ENOENT', { id: 0 }),
      rung('ioas-with-hwpt', 'EBUSY', { id: ID.mapped }),
      rung('bound-device', 'EBUSY', { id: ID.device }),
      rung('attached-hwpt', 'EBUSY', { id: ID.autoHwpt }),
      rung('fault-with-file', 'EBUSY', { id: ID.fault }),
    ],
  },
  {
    key: 'ioas-alloc',
    call: 'iommu_ioas_alloc',
    right: () => ({}),
    rungs: [rung('flags', 'EOPNOTSUPP', { flags: 1 })],
  },
  {
    key: 'iova-ranges',
    call: 'iommu_ioas_iova_ranges',
    right: (world) => ({ ioas_id: ID.mapped, num_iovas: 1, allowed_iovas: BigInt(world.scratch) }),
    rungs: [
      RESERVED,
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
      rung('other-type', 'ENOENT', { ioas_id: ID.autoHwpt }),
      rung('pointer', 'EFAULT', { allowed_iovas: NO_MEMORY }),
      loneRung('room', 'EMSGSIZE', { num_iovas: 0 }),
    ],
  },
  {
    key: 'allow-iovas',
    call: 'iommu_ioas_allow_iovas',
    right: (world) => ({
      ioas_id: ID.mapped,
      num_iovas: 2,
      allowed_iovas: world.pokeRanges([0x2000000n, 0x2ffffffn], [0x3000000n, 0x3000001n]),
    }),
    rungs: [
      RESERVED,
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
      rung('other-type', 'ENOENT', { ioas_id: ID.device }),
      rung('pointer', 'EFAULT', { allowed_iovas: NO_MEMORY }),
      rung('above-user-space', 'EFAULT', { allowed_iovas: 2n ** 47n - 8n }),
      {
        key: 'one-byte',
        errno: 'EINVAL',
        wrong: (world) => ({ allowed_iovas: world.pokeRanges([0x5000n, 0x5000n], [0x0n, 0x10n]) }),
        alone: true,
      },
      {
        key: 'backwards',
        errno: 'EINVAL',
        wrong: (world) => ({ allowed_iovas: world.pokeRanges([0x2000000n, 0x1fff000n], [0x0n, 0x10n]) }),
        alone: true,
      },
      {
        key: 'overlap',
        errno: 'EINVAL',
        wrong: (world) => ({ allowed_iovas: world.pokeRanges([0x0n, 0x2fffn], [0x2fffn, 0x5000n]) }),
        alone: true,
      },
      {
        key: 'reserved-range',
        errno: 'EADDRINUSE',
        wrong: (world) => ({ allowed_iovas: world.pokeRanges([0x2000000n, 0x2ffffffn], [0x0n, 0x5000n]) }),
        alone: true,
      },
    ],
  },
  {
    key: 'option-unknown',
    call: 'iommu_option',
    right: () => ({ option_id: 2, op: 1 }),
    answer: 'EOPNOTSUPP',
    rungs: [RESERVED, rung('next', 'EOPNOTSUPP', { option_id: 0xffffffff })],
  },
  {
    key: 'option-rlimit-get',
    call: 'iommu_option',
    right: () => ({ option_id: 0, op: 1 }),
    rungs: [
      RESERVED,
      rung('object', 'EOPNOTSUPP', { object_id: ID.plain }),
      rung('operation', 'EOPNOTSUPP', { op: 2 }),
    ],
  },
  {
    key: 'option-rlimit-set',
    call: 'iommu_option',
    right: () => ({ option_id: 0, op: 0, val64: 1n }),
    answer: 'EBUSY',
    rungs: [
      RESERVED,
      rung('object', 'EOPNOTSUPP', { object_id: ID.none }),
      rung('busy-before-value', 'EBUSY', { val64: 2n }),
    ],
  },
  {
    key: 'option-huge-pages',
    call: 'iommu_option',
    right: () => ({ option_id: 1, op: 0, object_id: ID.mapped, val64: 1n }),
    rungs: [
      RESERVED,
      rung('ioas', 'ENOENT', { object_id: ID.none }),
      rung('zero', 'ENOENT', { object_id: 0 }),
      rung('other-type', 'ENOENT', { object_id: ID.parent }),
      rung('operation', 'EOPNOTSUPP', { op: 2 }),
      rung('value', 'EINVAL', { val64: 2n }),
      rung('value-high-bits', 'EINVAL', { val64: 2n ** 63n }),
      rung('areas-in-domains', 'EINVAL', { val64: 0n }),
    ],
  },
  {
    key: 'option-huge-pages-unaligned',
    call: 'iommu_option',
    right: () => ({ option_id: 1, op: 0, object_id: ID.plain, val64: 1n }),
    prepare: (world) => {
      const user = BigInt(world.buffer + 0x800);
      world.call('iommu_ioas_map', {
        ioas_id: ID.plain,
        flags: 7,
        user_va: user,
        length: 0x1000n,
        iova: 0x40800n,
      });
    },
    rungs: [rung('unaligned-area', 'EADDRINUSE', { val64: 0n })],
  },
  {
    key: 'vfio-ioas-get',
    call: 'iommu_vfio_ioas',
    right: () => ({ op: 0 }),
    answer: 'ENODEV',
    rungs: [
      RESERVED,
      rung('operation', 'EOPNOTSUPP', { op: 3 }),
      rung('set-unknown', 'ENOENT', { op: 1, ioas_id: ID.none }),
      rung('set-other-type', 'ENOENT', { op: 1, ioas_id: ID.autoHwpt }),
    ],
  },
  {
    key: 'change-process',
    call: 'iommu_ioas_change_process',
    right: () => ({}),
    answer: 'EINVAL',
    rungs: [RESERVED],
  },
  {
    key: 'unmap',
    call: 'iommu_ioas_unmap',
    right: () => ({ ioas_id: ID.plain, iova: 0x10000n, length: BigInt(4 * P) }),
    rungs: [
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
      rung('other-type', 'ENOENT', { ioas_id: ID.stdev }),
      rung('iova-max', 'EOVERFLOW', { iova: MAX }),
      rung('length-max', 'EOVERFLOW', { length: MAX }),
      rung('length-zero', 'EINVAL', { length: 0n }),
      rung('wrap', 'EOVERFLOW', { iova: MAX - 0xfffn, length: 0x1001n }),
      rung('nothing-there', 'ENOENT', { iova: 0x900000n, length: 0x1000n }),
      rung('cut-tail', 'ENOENT', { iova: 0x10000n, length: BigInt(3 * P) }),
      rung('cut-head', 'ENOENT', { iova: 0x11000n, length: BigInt(3 * P) }),
    ],
  },
  {
    key: 'noiommu-get-pa',
    call: 'iommu_ioas_noiommu_get_pa',
    right: () => ({ ioas_id: ID.plain, iova: 0x10000n, length: 0x1000n }),
    answer: 'EINVAL',
    rungs: [
      RESERVED,
      rung('flags', 'EOPNOTSUPP', { flags: 1 }),
      rung('ioas', 'ENOENT', { ioas_id: ID.none }),
    ],
  },
];
