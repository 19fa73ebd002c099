// VFIO_IOMMU_MAP_DMA: memory of the process at an IOVA that user space chooses.
// Source followed: iommufd_vfio_map_dma in drivers/iommu/iommufd/vfio_compat.c.
// Unlike IOMMU_IOAS_MAP it looks neither for a permission, of which only a page table must have one, nor for an IOVA or a
// length of 2^64 - 1, which are refused where they wrap or are not aligned.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { IOMMU_CACHE, IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { Errno } from '@sgfree/mm';
import { ioptMapUserPages } from '../io-pagetable/map-source.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import type { U64 } from '../u64/u64.ts';
import { getCompatIoas } from './compat-ioas.ts';

/**
 * Flags of a mapping: the device may read, the device may write.
 * @public
 */
export const VfioDmaMapFlag = { READ: 1, WRITE: 2 } as const;

/**
 * Memory of the process to map.
 * @public
 */
export interface VfioDmaMap {
  /** Of {@link VfioDmaMapFlag}. */
  readonly flags: number;
  readonly vaddr: U64;
  readonly iova: U64;
  /** Bytes. */
  readonly size: U64;
}

/**
 * Maps memory of the process; 0, or in this order -EINVAL (flags), -ENODEV (no address space), then the errors of
 * `ioptMapUserPages` for a fixed IOVA.
 * @kernel iommufd_vfio_map_dma
 * @public
 */
export function* iommufdVfioMapDma(ctx: IommufdContext, map: VfioDmaMap): ModelTask<number> {
  const { READ, WRITE } = VfioDmaMapFlag;
  if ((map.flags & ~(READ | WRITE)) !== 0) return -Errno.EINVAL;
  const ioas = getCompatIoas(ctx);
  if (!ioas.ok) return -ioas.errno;
  const read = (map.flags & READ) === 0 ? 0 : IOMMU_READ;
  const write = (map.flags & WRITE) === 0 ? 0 : IOMMU_WRITE;
  const mapped = yield* ioptMapUserPages(ctx.process, ioas.value.iopt, map.vaddr, {
    length: map.size,
    prot: IOMMU_CACHE | read | write,
    iova: map.iova,
    accountMode: ctx.accountMode,
  });
  iommufdPutObject(ioas.value);
  return mapped.ok ? 0 : -mapped.errno;
}
