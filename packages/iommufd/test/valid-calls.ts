// One call of every kind that a populated world carries out, or answers with the only errno it has for it; more where that errno
// would hide what else is looked at.
// Source followed: iommufd_ioctl_ops in drivers/iommu/iommufd/main.c.
// Simplified: for tests only.

import { encodeIommufdStruct, type IommufdFieldValues } from '../src/index.ts';
import { type AbiWorld, ID, P } from './abi-world.ts';
import { MOCK_INFO_TYPE } from './mock-hardware.ts';

const LENGTH = BigInt(4 * P);

/** Fields by structure; both ways of choosing an IOVA, and both kinds of address space, are there. */
export const VALID_CALLS: readonly (readonly [
  name: string,
  fields: (world: AbiWorld) => IommufdFieldValues,
])[] = [
  ['iommu_destroy', () => ({ id: ID.parent })],
  ['iommu_ioas_alloc', () => ({})],
  [
    'iommu_ioas_allow_iovas',
    (world) => ({
      ioas_id: ID.mapped,
      num_iovas: 2,
      allowed_iovas: world.pokeRanges([0x2000000n, 0x2ffffffn], [0x3000000n, 0x3000001n]),
    }),
  ],
  [
    'iommu_ioas_copy',
    () => ({
      flags: 7,
      dst_ioas_id: ID.mapped,
      src_ioas_id: ID.plain,
      length: LENGTH,
      dst_iova: 0x1100000n,
      src_iova: 0x10000n,
    }),
  ],
  [
    'iommu_ioas_copy',
    () => ({
      flags: 4,
      dst_ioas_id: ID.plain,
      src_ioas_id: ID.mapped,
      length: 0x1800n,
      src_iova: 0x1010800n,
    }),
  ],
  [
    'iommu_ioas_iova_ranges',
    (world) => ({ ioas_id: ID.mapped, num_iovas: 1, allowed_iovas: BigInt(world.scratch) }),
  ],
  [
    'iommu_ioas_map',
    (world) => ({
      flags: 7,
      ioas_id: ID.mapped,
      user_va: BigInt(world.buffer),
      length: LENGTH,
      iova: 0x1100000n,
    }),
  ],
  [
    'iommu_ioas_map',
    (world) => ({ flags: 6, ioas_id: ID.plain, user_va: BigInt(world.buffer + 0x123), length: 0x345n }),
  ],
  ['iommu_ioas_unmap', () => ({ ioas_id: ID.plain, iova: 0x10000n, length: 0x4000n })],
  ['iommu_ioas_unmap', () => ({ ioas_id: ID.mapped, iova: 0n, length: 2n ** 64n - 1n })],
  ['iommu_ioas_unmap', () => ({ ioas_id: ID.plain, iova: 0xff80n, length: 0x4080n })],
  ['iommu_option', () => ({ option_id: 1, op: 0, object_id: ID.plain, val64: 0n })],
  ['iommu_option', () => ({ option_id: 0, op: 1 })],
  ['iommu_vfio_ioas', () => ({ op: 1, ioas_id: ID.plain })],
  ['iommu_hwpt_alloc', () => ({ dev_id: ID.device, pt_id: ID.mapped, flags: 4, fault_id: ID.fault })],
  [
    'iommu_hw_info',
    (world) => ({ dev_id: ID.device, data_len: 64, data_uptr: BigInt(world.scratch + 0x800) }),
  ],
  [
    'iommu_hw_info',
    (world) => ({
      flags: 1,
      dev_id: ID.device,
      data_len: 4,
      data_type: MOCK_INFO_TYPE,
      data_uptr: BigInt(world.scratch + 0x800),
    }),
  ],
  ['iommu_hwpt_set_dirty_tracking', () => ({ flags: 1, hwpt_id: ID.parent })],
  [
    'iommu_hwpt_get_dirty_bitmap',
    (world) => ({
      hwpt_id: ID.parent,
      iova: 0x1010000n,
      length: 0x4000n,
      page_size: 0x1000n,
      data: BigInt(world.scratch),
    }),
  ],
  ['iommu_hwpt_invalidate', () => ({ hwpt_id: ID.parent })],
  ['iommu_hwpt_invalidate', () => ({ hwpt_id: ID.none, entry_num: 1, entry_len: 1, data_uptr: 1n })],
  ['iommu_hwpt_invalidate', () => ({ hwpt_id: ID.none })],
  ['iommu_fault_alloc', () => ({})],
  [
    'iommu_ioas_map_file',
    (world) => ({ flags: 6, ioas_id: ID.mapped, fd: world.memfd, start: 0x1000n, length: LENGTH }),
  ],
  [
    'iommu_ioas_map_file',
    (world) => ({
      flags: 7,
      ioas_id: ID.plain,
      fd: world.plainFile,
      length: 0x777n,
      iova: 0x5000000000000001n,
    }),
  ],
  [
    'iommu_ioas_map_file',
    (world) => ({ flags: 5, ioas_id: ID.mapped, fd: world.memfd, length: 0x800n, iova: 0x1100800n }),
  ],
  [
    'iommu_ioas_map_file',
    (world) => ({ flags: 6, ioas_id: ID.mapped, fd: world.lent.fd, start: 0x1000n, length: LENGTH }),
  ],
  [
    'iommu_ioas_map_file',
    (world) => ({
      flags: 7,
      ioas_id: ID.plain,
      fd: world.lent.fd,
      start: 0x124n,
      length: 0x5edcn,
      iova: 0x5000000000000001n,
    }),
  ],
  [
    'iommu_ioas_map_file',
    (world) => ({ flags: 3, ioas_id: ID.mapped, fd: world.takenBack.fd, length: LENGTH, iova: 0x1100000n }),
  ],
  ['iommu_viommu_alloc', () => ({ type: 1, dev_id: ID.device, hwpt_id: ID.parent })],
  ['iommu_viommu_alloc', () => ({ type: 1, dev_id: ID.none })],
  ['iommu_vdevice_alloc', () => ({ viommu_id: ID.parent, dev_id: ID.device })],
  ['iommu_ioas_change_process', () => ({})],
  ['iommu_veventq_alloc', () => ({ type: 1, viommu_id: ID.parent, veventq_depth: 1 })],
  ['iommu_hw_queue_alloc', () => ({ type: 1, viommu_id: ID.parent, length: LENGTH })],
  ['iommu_ioas_noiommu_get_pa', () => ({ ioas_id: ID.mapped, iova: 0x1010000n, length: LENGTH })],
];

/** The bytes of a valid call. */
export const validBytes = (
  world: AbiWorld,
  index: number,
): { readonly name: string; readonly bytes: Uint8Array } => {
  const row = VALID_CALLS[index];
  if (row === undefined) throw new Error(`there is no valid call ${index}`);
  const [name, fields] = row;
  return { name, bytes: encodeIommufdStruct(name, fields(world)) };
};
