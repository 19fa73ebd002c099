// The order of refusals of the calls on devices, page tables, dirty records and page requests.
// Source followed: hw_pagetable.c, device.c and eventq.c of iommufd; the refusals of alloc_hwpt_nested in its selftest.
// Simplified: for tests only; no mock device nests.

import { type AbiWorld, ID, P } from '../abi-world.ts';
import { type Ladder, loneRung, MAX, type Rung, rung } from './ladder.ts';

const RESERVED = rung('reserved', 'EOPNOTSUPP', { __reserved: 1 });

/** Number of the table that {@link recording} makes. */
const RECORDING = 8;

function recording(world: AbiWorld): void {
  world.call('iommu_hwpt_alloc', { dev_id: ID.device, pt_id: ID.mapped, flags: 2 });
}

const DIRTY_RUNGS: readonly Rung[] = [
  RESERVED,
  rung('flags', 'EOPNOTSUPP', { flags: 2 }),
  rung('hwpt', 'ENOENT', { hwpt_id: ID.none }),
  rung('other-type', 'ENOENT', { hwpt_id: ID.mapped }),
  rung('length-zero', 'EINVAL', { length: 0n }),
  rung('wrap', 'EOVERFLOW', { iova: MAX - 0xfffn, length: 0x1001n }),
  rung('iova-alignment', 'EINVAL', { iova: 0x1010400n }),
  rung('end-alignment', 'EINVAL', { length: 0x4400n }),
  rung('no-page-size', 'EINVAL', { page_size: 0n }),
  rung('iova-page-size', 'EINVAL', { iova: 0x1010800n }),
  rung('end-page-size', 'EINVAL', { length: 0x4800n }),
  rung('large-page-size', 'EINVAL', { page_size: 2n ** 40n }),
];

/** Rungs stand in the order in which the kernel looks. */
export const HWPT_LADDERS: readonly Ladder[] = [
  {
    key: 'hwpt-alloc',
    call: 'iommu_hwpt_alloc',
    right: () => ({ dev_id: ID.device, pt_id: ID.mapped }),
    rungs: [
      RESERVED,
      loneRung('data-without-type', 'EINVAL', { data_len: 8 }),
      loneRung('type-without-data', 'EINVAL', { data_type: 1 }),
      rung('device', 'ENOENT', { dev_id: ID.none }),
      rung('device-is-an-ioas', 'ENOENT', { dev_id: ID.mapped }),
      rung('pt-unknown', 'EINVAL', { pt_id: ID.none }),
      rung('pt-is-a-device', 'EINVAL', { pt_id: ID.device }),
      rung('pt-is-a-mock', 'EINVAL', { pt_id: ID.stdev }),
      rung('flags', 'EOPNOTSUPP', { flags: 16 }),
      rung('all-flags', 'EOPNOTSUPP', { flags: 0xfffffffe }),
      rung('fault-of-a-parent', 'EOPNOTSUPP', { flags: 1 | 4, fault_id: ID.fault }),
      rung('data-for-an-ioas', 'EOPNOTSUPP', { data_type: 1, data_len: 8 }),
      rung('fault', 'ENOENT', { flags: 4, fault_id: ID.none }),
    ],
  },
  {
    key: 'hwpt-alloc-nested',
    call: 'iommu_hwpt_alloc',
    right: (world) => ({
      dev_id: ID.device,
      pt_id: ID.parent,
      data_type: 1,
      data_len: 8,
      data_uptr: BigInt(world.scratch),
    }),
    // The mock device of this world cannot nest.
    answer: 'EOPNOTSUPP',
    rungs: [
      RESERVED,
      loneRung('data-without-type', 'EINVAL', { data_type: 0 }),
      rung('device', 'ENOENT', { dev_id: ID.none }),
      rung('parent-flag', 'EOPNOTSUPP', { flags: 1 }),
      rung('no-data', 'EOPNOTSUPP', { data_type: 0, data_len: 0 }),
      rung('on-automatic', 'EOPNOTSUPP', { pt_id: ID.autoHwpt }),
    ],
  },
  {
    key: 'hwpt-alloc-filling',
    call: 'iommu_hwpt_alloc',
    right: () => ({ dev_id: ID.device, pt_id: ID.mapped }),
    rungs: [rung('areas-outside-aperture', 'EADDRINUSE', { pt_id: ID.plain })],
  },
  {
    key: 'hw-info',
    call: 'iommu_hw_info',
    right: () => ({ dev_id: ID.device }),
    rungs: [
      rung('flags', 'EOPNOTSUPP', { flags: 2 }),
      rung('reserved-0', 'EOPNOTSUPP', { __reserved0: 1 }),
      rung('reserved-1', 'EOPNOTSUPP', { __reserved1: 1 }),
      rung('reserved-2', 'EOPNOTSUPP', { __reserved2: 1 }),
      rung('device', 'ENOENT', { dev_id: ID.none }),
      rung('other-type', 'ENOENT', { dev_id: ID.stdev }),
      rung('pointer', 'EFAULT', { data_len: 8, data_uptr: 0x1000n }),
    ],
  },
  {
    key: 'set-dirty',
    call: 'iommu_hwpt_set_dirty_tracking',
    right: () => ({ flags: 1, hwpt_id: ID.none }),
    answer: 'ENOENT',
    rungs: [
      rung('flags', 'EOPNOTSUPP', { flags: 2 }),
      rung('reserved-is-not-checked', 'ENOENT', { __reserved: 1 }),
      rung('other-type', 'ENOENT', { hwpt_id: ID.mapped }),
    ],
  },
  {
    key: 'get-dirty',
    call: 'iommu_hwpt_get_dirty_bitmap',
    right: (world) => ({
      hwpt_id: ID.autoHwpt,
      iova: 0x1010000n,
      length: 0x4000n,
      page_size: BigInt(P),
      data: BigInt(world.scratch),
    }),
    // The table was made without a record.
    answer: 'EOPNOTSUPP',
    rungs: DIRTY_RUNGS,
  },
  {
    key: 'get-dirty-recording',
    call: 'iommu_hwpt_get_dirty_bitmap',
    right: (world) => ({
      hwpt_id: RECORDING,
      iova: 0x1010000n,
      length: 0x4000n,
      page_size: BigInt(P),
      data: BigInt(world.scratch),
    }),
    prepare: recording,
    rungs: DIRTY_RUNGS,
  },
  {
    key: 'set-dirty-recording',
    call: 'iommu_hwpt_set_dirty_tracking',
    right: () => ({ flags: 1, hwpt_id: RECORDING }),
    prepare: recording,
    rungs: [
      rung('flags', 'EOPNOTSUPP', { flags: 3 }),
      rung('not-recording', 'EOPNOTSUPP', { hwpt_id: ID.parent }),
    ],
  },
  {
    key: 'invalidate',
    call: 'iommu_hwpt_invalidate',
    right: () => ({ hwpt_id: ID.autoHwpt }),
    answer: 'EINVAL',
    rungs: [
      RESERVED,
      rung('no-pointer', 'EINVAL', { entry_num: 1, entry_len: 8 }),
      loneRung('no-entry-length', 'EINVAL', { entry_num: 1, data_uptr: 0x1000n, entry_len: 0 }),
      rung('unknown', 'ENOENT', { hwpt_id: ID.none, entry_num: 0 }),
    ],
  },
  {
    key: 'fault-alloc',
    call: 'iommu_fault_alloc',
    right: () => ({}),
    rungs: [rung('flags', 'EOPNOTSUPP', { flags: 1 })],
  },
  {
    key: 'viommu-alloc',
    call: 'iommu_viommu_alloc',
    right: () => ({ type: 1, dev_id: ID.device, hwpt_id: ID.parent }),
    answer: 'EOPNOTSUPP',
    rungs: [
      rung('flags', 'EOPNOTSUPP', { flags: 1 }),
      rung('default-type', 'EOPNOTSUPP', { type: 0 }),
      rung('device', 'ENOENT', { dev_id: ID.none }),
    ],
  },
  {
    key: 'vdevice-alloc',
    call: 'iommu_vdevice_alloc',
    right: () => ({ viommu_id: ID.parent, dev_id: ID.device }),
    answer: 'ENOENT',
    rungs: [],
  },
  {
    key: 'veventq-alloc',
    call: 'iommu_veventq_alloc',
    right: () => ({ type: 1, veventq_depth: 4, viommu_id: ID.none }),
    answer: 'ENOENT',
    rungs: [
      RESERVED,
      rung('flags', 'EOPNOTSUPP', { flags: 1 }),
      rung('default-type', 'EOPNOTSUPP', { type: 0 }),
      rung('no-depth', 'EINVAL', { veventq_depth: 0 }),
    ],
  },
  {
    key: 'hw-queue-alloc',
    call: 'iommu_hw_queue_alloc',
    right: () => ({ type: 1, viommu_id: ID.none }),
    answer: 'ENOENT',
    rungs: [rung('flags', 'EOPNOTSUPP', { flags: 1 }), rung('default-type', 'EOPNOTSUPP', { type: 0 })],
  },
];
