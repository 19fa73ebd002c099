// Calls that map and unmap: memory of the process, a file or a dma-buf, or what is mapped elsewhere already.
// Source followed: iommufd_ioas_map, iommufd_ioas_map_file, iommufd_ioas_copy, iommufd_ioas_unmap in
// drivers/iommu/iommufd/ioas.c.
// Simplified: none.

import type { ModelTask } from '@sgfree/hw-model';
import { IOMMU_CACHE, IOMMU_READ, IOMMU_WRITE } from '@sgfree/iommu';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { ioptGetPages } from '../io-pagetable/get-pages.ts';
import type { IoPagetable } from '../io-pagetable/io-pagetable.ts';
import { ioptMapPages } from '../io-pagetable/map-pages.ts';
import { type IoptMapRequest, ioptMapFilePages, ioptMapUserPages } from '../io-pagetable/map-source.ts';
import { ioptUnmapAll, ioptUnmapIova } from '../io-pagetable/unmap-iova.ts';
import type { IommufdContext } from '../objects/iommufd-context.ts';
import { iommufdGetIoas } from '../objects/lookup.ts';
import { iommufdPutObject } from '../objects/object-life.ts';
import { ioptPutPages } from '../pages/iopt-pages.ts';
import { type U64, U64_MAX, u64Compare, u64IsZero } from '../u64/u64.ts';

/**
 * Flags of a mapping.
 * @public
 */
export const IommuIoasMapFlag = { FIXED_IOVA: 1, WRITEABLE: 2, READABLE: 4 } as const;

const KNOWN_FLAGS = 7;

/**
 * Memory of the process to map.
 * @public
 */
export interface IommufdMap {
  /** Of {@link IommuIoasMapFlag}; at least one of the permissions. */
  readonly flags: number;
  readonly ioasId: number;
  readonly userVa: U64;
  /** Bytes. */
  readonly length: U64;
  /** With FIXED_IOVA where to map; without it only checked for not being 2^64 - 1. */
  readonly iova: U64;
}

/**
 * Bytes of a file or of a dma-buf to map.
 * @public
 */
export interface IommufdMapFile extends Omit<IommufdMap, 'userVa'> {
  readonly fd: number;
  /** First byte within the file. */
  readonly start: U64;
}

/**
 * A mapping to show a second time.
 * @public
 */
export interface IommufdCopy {
  readonly flags: number;
  readonly dstIoasId: number;
  readonly srcIoasId: number;
  /** Bytes. */
  readonly length: U64;
  readonly dstIova: U64;
  readonly srcIova: U64;
}

/** What every mapping call refuses first, in this order; 0 when it is fine. */
function checkMapping(flags: number, ...wide: readonly U64[]): Errno | 0 {
  if ((flags & ~KNOWN_FLAGS) !== 0) return Errno.EOPNOTSUPP;
  if (wide.some((value) => u64Compare(value, U64_MAX) === 0)) return Errno.EOVERFLOW;
  const permissions = IommuIoasMapFlag.WRITEABLE | IommuIoasMapFlag.READABLE;
  return (flags & permissions) === 0 ? Errno.EINVAL : 0;
}

function protOf(flags: number): number {
  const write = (flags & IommuIoasMapFlag.WRITEABLE) === 0 ? 0 : IOMMU_WRITE;
  const read = (flags & IommuIoasMapFlag.READABLE) === 0 ? 0 : IOMMU_READ;
  return IOMMU_CACHE | write | read;
}

const fixedIova = (flags: number, iova: U64): U64 | null =>
  (flags & IommuIoasMapFlag.FIXED_IOVA) === 0 ? null : iova;

const requestOf = (
  ctx: IommufdContext,
  { flags, length, iova }: Omit<IommufdMap, 'userVa'>,
): IoptMapRequest => ({
  length,
  prot: protOf(flags),
  iova: fixedIova(flags, iova),
  accountMode: ctx.accountMode,
});

function* onIoas<T>(
  ctx: IommufdContext,
  ioasId: number,
  body: (iopt: IoPagetable) => ModelTask<Outcome<T>>,
): ModelTask<Outcome<T>> {
  const ioas = iommufdGetIoas(ctx, ioasId);
  if (!ioas.ok) return ioas;
  const result = yield* body(ioas.value.iopt);
  iommufdPutObject(ioas.value);
  return result;
}

/**
 * Maps memory of the process; the IOVA. In this order: -EOPNOTSUPP (flags), -EOVERFLOW (IOVA or length 2^64 - 1), -EINVAL
 * (no permission), -ENOENT (the address space), then the errors of `ioptMapUserPages`.
 * @kernel iommufd_ioas_map
 * @public
 */
export function* iommufdIoasMap(ctx: IommufdContext, map: IommufdMap): ModelTask<Outcome<U64>> {
  const refused = checkMapping(map.flags, map.iova, map.length);
  if (refused !== 0) return failure(refused);
  return yield* onIoas(ctx, map.ioasId, (iopt) =>
    ioptMapUserPages(ctx.process, iopt, map.userVa, requestOf(ctx, map)),
  );
}

/**
 * Maps bytes of a file, or of a dma-buf when the descriptor is one; the IOVA. Errors in the order of
 * {@link iommufdIoasMap}, then those of `ioptMapFilePages`.
 * @kernel iommufd_ioas_map_file
 * @public
 */
export function* iommufdIoasMapFile(ctx: IommufdContext, map: IommufdMapFile): ModelTask<Outcome<U64>> {
  const refused = checkMapping(map.flags, map.iova, map.length);
  if (refused !== 0) return failure(refused);
  return yield* onIoas(ctx, map.ioasId, (iopt) =>
    ioptMapFilePages(ctx.process, iopt, map.fd, map.start, requestOf(ctx, map)),
  );
}

/**
 * Shows what is mapped in one address space also in another, or a second time in the same; the IOVA. The source is
 * looked at completely, its errors included, before the destination is looked up.
 * @kernel iommufd_ioas_copy
 * @public
 */
export function* iommufdIoasCopy(ctx: IommufdContext, copy: IommufdCopy): ModelTask<Outcome<U64>> {
  const { flags, length, dstIova, srcIova } = copy;
  const refused = checkMapping(flags, length, srcIova, dstIova);
  if (refused !== 0) return failure(refused);
  const pages = yield* onIoas(ctx, copy.srcIoasId, (iopt) => ioptGetPages(iopt, srcIova, length));
  if (!pages.ok) return pages;
  const dst = iommufdGetIoas(ctx, copy.dstIoasId);
  if (!dst.ok) {
    for (const element of pages.value) yield* ioptPutPages(element.pages);
    return dst;
  }
  const { iopt } = dst.value;
  const mapped = yield* ioptMapPages(iopt, pages.value, length, fixedIova(flags, dstIova), protOf(flags));
  iommufdPutObject(dst.value);
  return mapped;
}

/**
 * Unmaps whole areas in a window, everything for IOVA 0 and length 2^64 - 1; the bytes unmapped. -ENOENT (address space),
 * -EOVERFLOW (IOVA or length 2^64 - 1), -EINVAL (no length), -EOVERFLOW (past 2^64), -EBUSY, -ENOENT (nothing there, or an
 * area that is cut; areas before it are gone).
 * @kernel iommufd_ioas_unmap
 * @public
 */
export function* iommufdIoasUnmap(
  ctx: IommufdContext,
  ioasId: number,
  iova: U64,
  length: U64,
): ModelTask<Outcome<U64>> {
  return yield* onIoas(ctx, ioasId, (iopt) => unmapWindow(iopt, iova, length));
}

function* unmapWindow(iopt: IoPagetable, iova: U64, length: U64): ModelTask<Outcome<U64>> {
  const endless = u64Compare(length, U64_MAX) === 0;
  if (endless && u64IsZero(iova)) return yield* ioptUnmapAll(iopt);
  if (endless || u64Compare(iova, U64_MAX) === 0) return failure(Errno.EOVERFLOW);
  const unmapped = yield* ioptUnmapIova(iopt, iova, length);
  return unmapped.ok && u64IsZero(unmapped.value) ? failure(Errno.ENOENT) : unmapped;
}
