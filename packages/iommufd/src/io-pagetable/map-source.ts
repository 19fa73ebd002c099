// Mapping a source: memory of a process, a file or a dma-buf becomes pages, and these are mapped.
// Source followed: iopt_map_user_pages(), iopt_map_file_pages(), iopt_map_common() in drivers/iommu/iommufd/io_pagetable.c;
// iopt_alloc_user_pages(), iopt_alloc_file_pages(), iopt_alloc_dmabuf_pages() in pages.c.
// Simplified: none.

import { type DmaBuf, dmaBufGet, dmaBufPut, getFile } from '@sgfree/dma-buf';
import type { ModelTask } from '@sgfree/hw-model';
import { IOMMU_WRITE } from '@sgfree/iommu';
import { Errno, failure, type Outcome } from '@sgfree/mm';
import { IoptDmaBuf, ioptDmaBufAttach } from '../dmabuf/iopt-dma-buf.ts';
import type { IommufdProcess, IoptAccountMode } from '../iommufd-process.ts';
import { ioptAllocPages, ioptPutPages } from '../pages/iopt-pages.ts';
import { type PageSource, releaseSource } from '../pages/page-source.ts';
import {
  type U64,
  u64,
  u64At,
  u64Compare,
  u64IsZero,
  u64Plus,
  u64Previous,
  u64SumWraps,
} from '../u64/u64.ts';
import type { IoPagetable } from './io-pagetable.ts';
import { ioptMapPages } from './map-pages.ts';

/**
 * What a mapping asks for.
 * @public
 */
export interface IoptMapRequest {
  readonly length: U64;
  /** IOMMU_READ, IOMMU_WRITE and IOMMU_CACHE bits. */
  readonly prot: number;
  /** Null: an automatic IOVA. */
  readonly iova: U64 | null;
  /** The context's way of counting pins; `none` is chosen by CAP_IPC_LOCK alone. */
  readonly accountMode: Exclude<IoptAccountMode, 'none'>;
}

function* mapSource(
  process: IommufdProcess,
  iopt: IoPagetable,
  source: PageSource,
  start: U64,
  request: IoptMapRequest,
): ModelTask<Outcome<U64>> {
  const { length, prot, iova } = request;
  const pages = ioptAllocPages(iopt.platform, {
    source,
    startByte: start.byte,
    length,
    writable: (prot & IOMMU_WRITE) !== 0,
    process,
    accountMode: source.type === 'dmabuf' || process.mm.capIpcLock ? 'none' : request.accountMode,
  });
  if (!pages.ok) {
    yield* releaseSource(source);
    return pages;
  }
  if (source.type === 'dmabuf') {
    const errno = yield* ioptDmaBufAttach(iopt.platform, pages.value);
    if (errno !== 0) {
      yield* ioptPutPages(pages.value);
      return failure(-errno as Errno);
    }
  }
  const element = { pages: pages.value, startByte: u64At(0, start.byte), length };
  return yield* ioptMapPages(iopt, [element], length, iova, prot);
}

/**
 * Maps memory of a process from `uptr` on and gives the IOVA. -EOVERFLOW when the source passes 2^64, -EINVAL for no
 * length; then as {@link ioptMapPages}. The memory itself is looked at only when a domain has to show it: -EFAULT.
 * @kernel iopt_map_user_pages
 * @public
 */
export function* ioptMapUserPages(
  process: IommufdProcess,
  iopt: IoPagetable,
  uptr: U64,
  request: IoptMapRequest,
): ModelTask<Outcome<U64>> {
  if (u64SumWraps(uptr, request.length)) return failure(Errno.EOVERFLOW);
  const source: PageSource = { type: 'user', start: u64At(uptr.page), mm: process.mm };
  return yield* mapSource(process, iopt, source, uptr, request);
}

/**
 * Maps bytes of a file from `start` on and gives the IOVA: of a dma-buf when `fd` is one, else of a file that has to be
 * a memfd once its pages are needed. -EINVAL for no length, -EOVERFLOW when the source passes 2^64, -EBADF; for a
 * dma-buf -EINVAL past its end and the errors of its exporter; then as {@link ioptMapPages}.
 * @kernel iopt_map_file_pages
 * @public
 */
export function* ioptMapFilePages(
  process: IommufdProcess,
  iopt: IoPagetable,
  fd: number,
  start: U64,
  request: IoptMapRequest,
): ModelTask<Outcome<U64>> {
  const { length } = request;
  if (u64IsZero(length)) return failure(Errno.EINVAL);
  if (u64SumWraps(start, u64Previous(length))) return failure(Errno.EOVERFLOW);
  const { dmaBufs } = iopt.platform;
  const dmabuf = dmaBufGet<unknown>(dmaBufs, fd);
  if (dmabuf.ok) return yield* mapDmaBuf(process, iopt, dmabuf.value, start, request);
  const file = dmaBufs.files.at(fd);
  if (file === null) return failure(Errno.EBADF);
  const source: PageSource = { type: 'file', start: u64At(start.page), file: getFile(file) };
  return yield* mapSource(process, iopt, source, start, request);
}

/** Takes over the caller's reference of the buffer. */
function* mapDmaBuf(
  process: IommufdProcess,
  iopt: IoPagetable,
  dmabuf: DmaBuf<unknown>,
  start: U64,
  request: IoptMapRequest,
): ModelTask<Outcome<U64>> {
  const last = u64Plus(start, u64Previous(request.length));
  if (u64Compare(u64(dmabuf.size), last) <= 0 || request.length.page >= 2 ** 32 - 1) {
    yield* dmaBufPut(dmabuf);
    return failure(Errno.EINVAL);
  }
  const source: PageSource = {
    type: 'dmabuf',
    start: u64At(start.page),
    buffer: new IoptDmaBuf(dmabuf, start.page),
  };
  return yield* mapSource(process, iopt, source, start, request);
}
