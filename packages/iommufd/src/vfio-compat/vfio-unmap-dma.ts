// VFIO_IOMMU_UNMAP_DMA: everything, or what lies in a window. Type 1 cuts areas at both ends of the window first.
// Source followed: iommufd_vfio_unmap_dma in drivers/iommu/iommufd/vfio_compat.c, and what iopt_unmap_iova_range in
// io_pagetable.c tells of a walk that ends early.
// Type 1 is an address space without large pages, whichever call forbade them.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { ioptCutIova } from '../io-pagetable/cut-iova.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { ioptUnmapAll, ioptUnmapIova, type UnmappedBytes } from '../io-pagetable/unmap-iova.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import { type U64, U64_ZERO, u64IsZero, u64Plus, u64Previous } from '../u64/u64.ts';
import { getCompatIoas } from './compat-ioas.ts';

/**
 * Flags of unmapping: everything, with IOVA and size 0.
 * @public
 */
export const VfioDmaUnmapFlag = { ALL: 2 } as const;

/**
 * What to unmap.
 * @public
 */
export interface VfioDmaUnmap {
  /** Of {@link VfioDmaUnmapFlag}. */
  readonly flags: number;
  readonly iova: U64;
  /** Bytes. */
  readonly size: U64;
}

/**
 * What came of unmapping.
 * @public
 */
export interface VfioDmaUnmapped {
  /** 0 or a negative errno. */
  readonly error: number;
  /** Bytes that were unmapped, also before an error; null when unmapping was not even tried. */
  readonly size: U64 | null;
}

const refused = (error: number): VfioDmaUnmapped => ({ error, size: null });

/**
 * Unmaps. In this order -EINVAL (flags), -ENODEV (no address space), -EINVAL (ALL with an IOVA or size), of type 1
 * the errors of `ioptCutIova`; and after trying those of `ioptUnmapIova`. Where nothing is mapped it succeeds.
 * @kernel iommufd_vfio_unmap_dma
 * @public
 */
export function* iommufdVfioUnmapDma(ctx: IommufdContext, unmap: VfioDmaUnmap): ModelTask<VfioDmaUnmapped> {
  if ((unmap.flags & ~VfioDmaUnmapFlag.ALL) !== 0) return refused(-Errno.EINVAL);
  const ioas = getCompatIoas(ctx);
  if (!ioas.ok) return refused(-ioas.errno);
  const all = (unmap.flags & VfioDmaUnmapFlag.ALL) !== 0;
  const { iopt } = ioas.value;
  const unmapped = all ? yield* unmapAll(iopt, unmap) : yield* unmapWindow(iopt, unmap);
  iommufdPutObject(ioas.value);
  return unmapped;
}

function* unmapAll(iopt: IoPagetable, { iova, size }: VfioDmaUnmap): ModelTask<VfioDmaUnmapped> {
  if (!u64IsZero(iova) || !u64IsZero(size)) return refused(-Errno.EINVAL);
  const unmapped = { bytes: U64_ZERO };
  return told(yield* ioptUnmapAll(iopt, unmapped), unmapped);
}

function* unmapWindow(iopt: IoPagetable, { iova, size }: VfioDmaUnmap): ModelTask<VfioDmaUnmapped> {
  if (iopt.disableLargePages) {
    const ends = [u64Previous(u64Plus(iova, size))];
    if (!u64IsZero(iova)) ends.push(u64Previous(iova));
    const errno = yield* ioptCutIova(iopt, ends);
    if (errno !== 0) return refused(errno);
  }
  const unmapped = { bytes: U64_ZERO };
  return told(yield* ioptUnmapIova(iopt, iova, size, unmapped), unmapped);
}

const told = (outcome: Outcome<U64>, { bytes }: UnmappedBytes): VfioDmaUnmapped => ({
  error: outcome.ok ? 0 : -outcome.errno,
  size: bytes,
});
