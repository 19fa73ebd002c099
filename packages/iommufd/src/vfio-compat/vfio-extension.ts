// What a container can do, and which kind of IOMMU it is told to be.
// Source followed: iommufd_vfio_check_extension, iommufd_vfio_cc_iommu and iommufd_vfio_set_iommu in
// drivers/iommu/iommufd/vfio_compat.c.
// Type 1 lets a part of a mapping be unmapped, which large pages stand in the way of; type 1 v2 does not.
// Simplified: a kernel without CONFIG_VFIO_NOIOMMU; a table enforces coherence when its format does.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import { ioptDisableLargePages } from '../io-pagetable/large-pages.ts';
import type { IommufdHwptPaging } from '../objects/hwpt-paging.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import { getCompatIoas } from './compat-ioas.ts';

/**
 * What VFIO_CHECK_EXTENSION is asked about; the two TYPE1 are also what VFIO_SET_IOMMU is told.
 * @public
 */
export const VfioExtension = {
  TYPE1_IOMMU: 1,
  TYPE1V2_IOMMU: 3,
  DMA_CC_IOMMU: 4,
  NOIOMMU_IOMMU: 8,
  UNMAP_ALL: 9,
  UPDATE_VADDR: 10,
} as const;

const ALWAYS: readonly number[] = [
  VfioExtension.TYPE1_IOMMU,
  VfioExtension.TYPE1V2_IOMMU,
  VfioExtension.UNMAP_ALL,
];

/**
 * 1 when the extension is there, 0 when it is not or unknown; for DMA_CC_IOMMU -ENODEV without an address space.
 * @kernel iommufd_vfio_check_extension
 * @public
 */
export function* iommufdVfioCheckExtension(ctx: IommufdContext, type: number): ModelTask<number> {
  if (type === VfioExtension.DMA_CC_IOMMU) return yield* ccIommu(ctx);
  return ALWAYS.includes(type) ? 1 : 0;
}

/** 1 when every page table of the address space forces DMA to be coherent, also when there is none. */
function* ccIommu(ctx: IommufdContext): ModelTask<number> {
  const ioas = getCompatIoas(ctx);
  if (!ioas.ok) return -ioas.errno;
  const { mutex, hwpts } = ioas.value;
  yield* mutex.lock();
  const all = hwpts.every(enforcesCoherence);
  mutex.unlock();
  iommufdPutObject(ioas.value);
  return all ? 1 : 0;
}

const enforcesCoherence = ({ domain }: IommufdHwptPaging): boolean =>
  domain?.domain.table.format.features.forceCoherence === true;

/**
 * Chooses the kind of IOMMU: with TYPE1_IOMMU the address space uses no large pages from now on, TYPE1V2_IOMMU changes
 * nothing. 0, or in this order -EINVAL (another kind), -ENODEV (no address space), and of TYPE1_IOMMU -EINVAL
 * (something is mapped already) or -EADDRINUSE (in no whole pages).
 * @kernel iommufd_vfio_set_iommu
 * @public
 */
export function* iommufdVfioSetIommu(ctx: IommufdContext, type: number): ModelTask<number> {
  if (type !== VfioExtension.TYPE1_IOMMU && type !== VfioExtension.TYPE1V2_IOMMU) return -Errno.EINVAL;
  const ioas = getCompatIoas(ctx);
  if (!ioas.ok) return -ioas.errno;
  const errno = type === VfioExtension.TYPE1_IOMMU ? yield* ioptDisableLargePages(ioas.value.iopt) : 0;
  iommufdPutObject(ioas.value);
  return errno;
}
