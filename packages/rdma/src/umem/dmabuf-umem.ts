// Registered memory that is a part of a dma-buf: attached, mapped while the reservation lock is held, and taken back.
// Source followed: drivers/infiniband/core/umem_dmabuf.c (ib_umem_dmabuf_get, ib_umem_dmabuf_map_pages,
// ib_umem_dmabuf_unmap_pages, ib_umem_dmabuf_release).
// Simplified: none.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufAttachOps,
  type DmaBufPlatform,
  DmaResvUsage,
  dmaBufDetach,
  dmaBufGet,
  dmaBufPut,
  dmaBufUnpin,
  dmaResvAssertHeld,
  dmaResvLock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import type { Device } from '@sgfree/dma-core';
import { alignDown, alignUp, InternalError, type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { DmaRange } from '../dma-range.ts';
import type { IbDevice } from '../verbs/ib-device.ts';
import type { DmabufImport, DmabufView } from './dmabuf-import.ts';
import { IbUmem, UMEM_BYTES } from './ib-umem.ts';
import { UMEM_DIRECTION } from './pinned-umem.ts';

const SIZE_END: number = 2 ** 64;

/**
 * Which part of which buffer, and how it is imported.
 * @public
 */
export interface DmabufRequest<Mapping> {
  readonly platform: DmaBufPlatform;
  readonly fd: number;
  /** First byte in the buffer. */
  readonly offset: number;
  readonly size: number;
  readonly access: number;
  readonly via: DmabufImport<Mapping>;
  /** Does the DMA instead of the RDMA device's own (a companion function). */
  readonly dmaDevice?: Device;
}

/**
 * A part of a dma-buf as registered memory.
 * @kernel struct ib_umem_dmabuf
 * @public
 */
export class IbUmemDmabuf<Mapping> extends IbUmem {
  override readonly isDmabuf = true;
  readonly dmabuf: DmaBuf<Mapping>;
  readonly via: DmabufImport<Mapping>;
  /** Whoever the callbacks of a driver work for. */
  priv: unknown = null;
  pinned = false;
  revoked = false;
  /** A driver takes its hardware off the memory, once; with the reservation lock held. */
  pinnedRevoke: ((umem: IbUmemDmabuf<Mapping>) => ModelTask<void>) | null = null;
  #attach: DmaBufAttachment<Mapping> | null = null;
  #mapping: { readonly shown: Mapping; readonly view: DmabufView } | null = null;

  /** @internal */
  constructor(device: IbDevice, dmabuf: DmaBuf<Mapping>, request: DmabufRequest<Mapping>) {
    super(device, request.offset, request.size, request.access, {});
    this.dmabuf = dmabuf;
    this.via = request.via;
    this.iova = { high: 0, low: 0 };
  }

  get attach(): DmaBufAttachment<Mapping> {
    if (this.#attach === null) throw new InternalError('the buffer is not attached');
    return this.#attach;
  }

  set attach(attach: DmaBufAttachment<Mapping>) {
    this.#attach = attach;
  }

  /** True while there are DMA ranges (`sgt`). */
  get mapped(): boolean {
    return this.#mapping !== null;
  }

  override dmaRanges(): Iterable<DmaRange> {
    return this.#mapping?.view.ranges() ?? [];
  }

  override release(): ModelTask<void> {
    return releaseDmabuf(this);
  }

  /** @internal */
  show(shown: Mapping): void {
    const start = alignDown(this.address, PAGE_SIZE);
    const end = alignUp(this.address + this.length, PAGE_SIZE);
    this.#mapping = { shown, view: this.via.view(shown, start, end) };
  }

  /** The mapping, put back as it came, or null. @internal */
  take(): Mapping | null {
    if (this.#mapping === null) return null;
    const { shown, view } = this.#mapping;
    view.close();
    this.#mapping = null;
    return shown;
  }
}

/**
 * Attaches a part of a buffer with the importer operations `ops`; nothing is mapped yet. -EINVAL for a part that wraps, is
 * empty or lies beyond the buffer; the errors of getting and attaching; -ENOMEM.
 * @kernel ib_umem_dmabuf_get
 * @public
 */
export function* ibUmemDmabufGet<Mapping>(
  device: IbDevice,
  request: DmabufRequest<Mapping>,
  ops: (umem: IbUmemDmabuf<Mapping>) => DmaBufAttachOps<Mapping>,
): ModelTask<Outcome<IbUmemDmabuf<Mapping>>> {
  const { platform, fd, offset, size } = request;
  if (offset + size >= SIZE_END) return failure(Errno.EINVAL);
  const got = dmaBufGet<Mapping>(platform, fd);
  if (!got.ok) return got;
  const error = refusal(device, got.value.size, offset, size);
  if (error !== 0) return yield* putAfter(got.value, error);
  const umem = new IbUmemDmabuf(device, got.value, request);
  const dev = request.dmaDevice ?? device.dmaDevice;
  const attached = yield* request.via.attach(got.value, dev, ops(umem), umem);
  if (!attached.ok) return yield* putAfter(got.value, attached.errno);
  umem.attach = attached.value;
  return success(umem);
}

function refusal(device: IbDevice, bufferSize: number, offset: number, size: number): Errno | 0 {
  if (bufferSize < offset + size) return Errno.EINVAL;
  if (!device.allocate(UMEM_BYTES)) return Errno.ENOMEM;
  // Pages are counted from `iova`, which is still 0: the offset does not count.
  return size === 0 ? Errno.EINVAL : 0;
}

function* putAfter<M>(dmabuf: DmaBuf<M>, errno: Errno): ModelTask<Outcome<never>> {
  yield* dmaBufPut(dmabuf);
  return failure(errno);
}

/**
 * Maps the memory if it is not mapped, and waits for the kernel's own fences; with the reservation lock held. 0; -EINVAL once
 * revoked; the errors of mapping; -ETIMEDOUT. After a failed wait it stays mapped.
 * @kernel ib_umem_dmabuf_map_pages
 * @public
 */
export function* ibUmemDmabufMapPages<M>(umem: IbUmemDmabuf<M>): ModelTask<number> {
  const { resv } = umem.dmabuf;
  dmaResvAssertHeld(resv);
  if (umem.revoked) return -Errno.EINVAL;
  if (!umem.mapped) {
    const mapped = yield* umem.via.map(umem.attach, UMEM_DIRECTION);
    if (!mapped.ok) return -mapped.errno;
    umem.show(mapped.value);
  }
  const left = yield* dmaResvWaitTimeout(resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
  if (left < 0) return left;
  return left === 0 ? -Errno.ETIMEDOUT : 0;
}

/**
 * Gives the mapping back, with the reservation lock held; nothing when there is none.
 * @kernel ib_umem_dmabuf_unmap_pages
 * @public
 */
export function* ibUmemDmabufUnmapPages<M>(umem: IbUmemDmabuf<M>): ModelTask<void> {
  dmaResvAssertHeld(umem.dmabuf.resv);
  const shown = umem.take();
  if (shown !== null) yield* umem.via.unmap(umem.attach, shown, UMEM_DIRECTION);
}

/**
 * Takes the memory away for good, with the reservation lock held: the driver's hook, the mapping, the pin. Once.
 * @kernel ib_umem_dmabuf_revoke_locked
 * @public
 */
export function* ibUmemDmabufRevokeLocked<M>(umem: IbUmemDmabuf<M>): ModelTask<void> {
  dmaResvAssertHeld(umem.dmabuf.resv);
  if (umem.revoked) return;
  if (umem.pinnedRevoke !== null) yield* umem.pinnedRevoke(umem);
  yield* ibUmemDmabufUnmapPages(umem);
  if (umem.pinned) yield* dmaBufUnpin(umem.attach);
  umem.pinned = false;
  umem.revoked = true;
}

/**
 * {@link ibUmemDmabufRevokeLocked} for a caller without the lock.
 * @kernel ib_umem_dmabuf_revoke
 * @public
 */
export function* ibUmemDmabufRevoke<M>(umem: IbUmemDmabuf<M>): ModelTask<void> {
  const { resv } = umem.dmabuf;
  yield* dmaResvLock(resv);
  yield* ibUmemDmabufRevokeLocked(umem);
  dmaResvUnlock(resv);
}

function* releaseDmabuf<M>(umem: IbUmemDmabuf<M>): ModelTask<void> {
  yield* ibUmemDmabufRevoke(umem);
  yield* dmaBufDetach(umem.dmabuf, umem.attach);
  yield* dmaBufPut(umem.dmabuf);
}
