// VFIO_IOMMU_GET_INFO: page sizes, and how much may be mapped where.
// Source followed: iommufd_vfio_iommu_get_info and iommufd_get_pagesizes in drivers/iommu/iommufd/vfio_compat.c.
// Sizes below a page are told as one page; without a page table every size from a page on will do.
// Simplified: none.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { type Outcome, success } from '@sgfree/mm';
import { type IoPagetable, ioptIovaRanges } from '../io-pagetable/io-pagetable.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import { type U64, type U64Range, u64OfBigint } from '../u64/u64.ts';
import { getCompatIoas } from './compat-ioas.ts';

/** Mappings that may still be made: no limit. */
const DMA_AVAIL = 0xffffffff;

const ALL_SIZES = 2n ** 64n - 1n;
const BELOW_PAGE = BigInt(PAGE_SIZE - 1);

/**
 * What is told of an address space.
 * @public
 */
export interface VfioIommuInfo {
  /** Bit n: pages of 2^n bytes. */
  readonly pgsizes: U64;
  /** Mappings that may still be made. */
  readonly dmaAvail: number;
  /** IOVAs that nothing reserves, ascending. */
  readonly iovaRanges: readonly U64Range[];
}

/**
 * What the address space of the type 1 calls offers; -ENODEV: there is none.
 * @kernel iommufd_vfio_iommu_get_info
 * @public
 */
export function* iommufdVfioIommuGetInfo(ctx: IommufdContext): ModelTask<Outcome<VfioIommuInfo>> {
  const ioas = getCompatIoas(ctx);
  if (!ioas.ok) return ioas;
  const { iopt } = ioas.value;
  const pgsizes = yield* pageSizes(iopt);
  const { ranges } = yield* ioptIovaRanges(iopt);
  iommufdPutObject(ioas.value);
  return success({ pgsizes, dmaAvail: DMA_AVAIL, iovaRanges: ranges });
}

/** Sizes that all page tables have; never less than the alignment. */
function* pageSizes(iopt: IoPagetable): ModelTask<U64> {
  yield* iopt.domainsRwsem.readLock();
  let sizes = ALL_SIZES;
  for (const { domain, unitsPerPage } of iopt.domains) {
    sizes &= BigInt(domain.pgsizeBitmap) / BigInt(unitsPerPage);
  }
  if ((sizes & BELOW_PAGE) !== 0n) sizes = (sizes & ~BELOW_PAGE) | BigInt(PAGE_SIZE);
  const alignment = BigInt(iopt.iovaAlignment);
  iopt.domainsRwsem.readUnlock();
  return u64OfBigint(sizes > alignment ? sizes : alignment);
}
