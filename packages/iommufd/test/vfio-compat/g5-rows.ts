// The kernel's `vfio_compat_mock_domain` tests and the checks of a context without an address space, as data: what is
// called on which kind of container, and what it answers.
// Source followed: section G.5 of the specification; tools/testing/selftests/iommu/iommufd.c.
// Simplified: for tests only.

import type { ErrnoName } from '@sgfree/mm';
import type { IommufdFieldValues } from '../../src/index.ts';
import type { VfioType } from './vfio-world.ts';

/** A call on a context whose type 1 calls have no address space. */
export interface WithoutIoas {
  readonly key: string;
  /** Structure; null: SET_IOMMU with the number. */
  readonly struct: string | null;
  readonly fields?: IommufdFieldValues;
  readonly number?: number;
  readonly errno: ErrnoName;
}

const MAP = 'iommu_type1_dma_map';
const UNMAP = 'iommu_type1_dma_unmap';
const INFO = 'iommu_type1_info';

/** map/unmap/info/set_iommu without compat IOAS. */
export const WITHOUT_IOAS: readonly WithoutIoas[] = [
  { key: 'map, argsz short', struct: MAP, fields: { argsz: 31 }, errno: 'EINVAL' },
  { key: 'map, unknown flag', struct: MAP, fields: { flags: 4 }, errno: 'EINVAL' },
  { key: 'map, highest flag', struct: MAP, fields: { flags: 0x80000000 }, errno: 'EINVAL' },
  { key: 'map', struct: MAP, errno: 'ENODEV' },
  { key: 'unmap, argsz short', struct: UNMAP, fields: { argsz: 23 }, errno: 'EINVAL' },
  { key: 'unmap, dirty bitmap', struct: UNMAP, fields: { flags: 1 }, errno: 'EINVAL' },
  { key: 'unmap, vaddr', struct: UNMAP, fields: { flags: 4 }, errno: 'EINVAL' },
  { key: 'unmap, highest flag', struct: UNMAP, fields: { flags: 0x80000000 }, errno: 'EINVAL' },
  { key: 'unmap', struct: UNMAP, errno: 'ENODEV' },
  { key: 'unmap all', struct: UNMAP, fields: { flags: 2 }, errno: 'ENODEV' },
  { key: 'unmap all with a size', struct: UNMAP, fields: { flags: 2, size: 1n }, errno: 'ENODEV' },
  { key: 'info, argsz short', struct: INFO, fields: { argsz: 15 }, errno: 'EINVAL' },
  { key: 'info', struct: INFO, errno: 'ENODEV' },
  { key: 'info, flags are not looked at', struct: INFO, fields: { flags: 0xffffffff }, errno: 'ENODEV' },
  { key: 'set_iommu, type1', struct: null, number: 1, errno: 'ENODEV' },
  { key: 'set_iommu, type1v2', struct: null, number: 3, errno: 'ENODEV' },
  { key: 'set_iommu, nothing', struct: null, number: 0, errno: 'EINVAL' },
  { key: 'set_iommu, noiommu', struct: null, number: 8, errno: 'EINVAL' },
];

/** option_huge_pages after SET_IOMMU: what the option reads. */
export const HUGE_PAGES: readonly (readonly [VfioType, bigint])[] = [
  ['type1v2', 1n],
  ['type1', 0n],
];

/** huge_map: what unmapping each of 16 pieces of one mapping answers. */
export const PIECES: readonly (readonly [VfioType, ErrnoName | null])[] = [
  ['type1', null],
  ['type1v2', 'ENOENT'],
];
