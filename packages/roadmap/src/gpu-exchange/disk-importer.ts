// DiskImporter: an object as the disk's driver imports it: mapped when it is wanted, covered by a fence while the disk works on it, given
// back when the exporter says so and the disk has ended.
// Source followed: the duties of a dynamic importer (Documentation of dma_buf_attach_ops; section on fences of dma-buf).
// Simplified: one piece of work at a time; what is broken on purpose is asked of {@link DiskManners}.

import {
  type DmaBufAttachment,
  type DmaFence,
  DmaResvUsage,
  dmaBufDetach,
  dmaBufGet,
  dmaBufPut,
  dmaFenceContextAlloc,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvLock,
  dmaResvReserveFences,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { DmabufImport } from '@sgfree/rdma';
import type { DiskTransfer, ExchangeDisk } from './exchange-disk.ts';
import type { ExchangeKernel } from './exchange-kernel.ts';

/** What is wrong with a driver; all false in a right one. @internal */
export interface DiskManners {
  /** Goes on with the old mapping after it has been told. */
  readonly deaf: boolean;
  /** Says nothing of what is under way. */
  readonly unfenced: boolean;
  /** Does not wait until the bytes are there. */
  readonly hasty: boolean;
}

/** @internal */
export interface DiskImporterParts<Mapping> {
  readonly kernel: ExchangeKernel;
  readonly disk: ExchangeDisk;
  readonly via: DmabufImport<Mapping>;
  readonly manners: DiskManners;
}

/** @internal */
export class DiskImporter<Mapping> {
  /** Invalidations, and those among them that came while the disk was at work. */
  told = 0;
  toldAtWork = 0;
  /** Timeline of this importer's work. */
  readonly fenceContext: number;
  readonly #parts: DiskImporterParts<Mapping>;
  #attach: DmaBufAttachment<Mapping> | null = null;
  #mapping: Mapping | null = null;
  #stale: Mapping | null = null;
  /** The disk is at work on the object. */
  working = false;
  #seqno = 0;

  constructor(parts: DiskImporterParts<Mapping>) {
    this.#parts = parts;
    this.fenceContext = dmaFenceContextAlloc(parts.kernel.dmaBufs, 1);
  }

  /** Attaches to the buffer behind `fd`; 0 or a negative errno. */
  *join(fd: number): ModelTask<number> {
    const { kernel, via } = this.#parts;
    const got = dmaBufGet<Mapping>(kernel.dmaBufs, fd);
    if (!got.ok) return -got.errno;
    const ops = { allowPeer2peer: true, invalidateMappings: () => this.#invalidate() };
    const made = yield* via.attach(got.value, kernel.disk, ops, this);
    if (!made.ok) {
      yield* dmaBufPut(got.value);
      return -made.errno;
    }
    this.#attach = made.value;
    return 0;
  }

  /** Moves bytes between disk and object; 0 or a negative errno. */
  *transfer(transfer: DiskTransfer): ModelTask<number> {
    const { disk } = this.#parts;
    yield* disk.queue.lock();
    const error = yield* this.#work(transfer);
    disk.queue.unlock();
    return error;
  }

  /** Maps the object and gives it back; 0 or a negative errno. */
  *probe(): ModelTask<number> {
    const { resv } = this.#attached.dmabuf;
    yield* dmaResvLock(resv);
    const error = yield* this.#map();
    yield* this.#drop();
    dmaResvUnlock(resv);
    return error;
  }

  /** Gives everything back. */
  *leave(): ModelTask<void> {
    const attach = this.#attached;
    const { resv } = attach.dmabuf;
    yield* dmaResvLock(resv);
    yield* this.#drop();
    dmaResvUnlock(resv);
    yield* dmaBufDetach(attach.dmabuf, attach);
    yield* dmaBufPut(attach.dmabuf);
    this.#attach = null;
  }

  *#work(transfer: DiskTransfer): ModelTask<number> {
    const { disk, via } = this.#parts;
    const { resv } = this.#attached.dmabuf;
    yield* dmaResvLock(resv);
    const error = yield* this.#map();
    const fence = error === 0 ? this.#fence() : null;
    this.working = fence !== null;
    dmaResvUnlock(resv);
    if (fence === null) return error === 0 ? -Errno.ENOMEM : error;
    const mapping = this.#mapping as Mapping;
    const done = yield* disk.move(transfer, (start, end) => via.view(mapping, start, end).ranges());
    this.working = false;
    dmaFenceSignal(fence);
    dmaFencePut(fence);
    yield* this.#giveStaleBack();
    return done;
  }

  /** With the reservation held: maps if need be, and waits until the bytes are there. */
  *#map(): ModelTask<number> {
    const { via, manners } = this.#parts;
    const attach = this.#attached;
    if (this.#mapping === null) {
      const mapped = yield* via.map(attach, 'bidirectional');
      if (!mapped.ok) return -mapped.errno;
      this.#mapping = mapped.value;
    }
    if (manners.hasty) return 0;
    yield* dmaResvWaitTimeout(attach.dmabuf.resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
    return 0;
  }

  /** With the reservation held: what is under way goes on under its fence, and the mapping goes back when it has ended. */
  *#invalidate(): ModelTask<void> {
    this.told += 1;
    if (this.working) this.toldAtWork += 1;
    if (this.#parts.manners.deaf) return;
    if (!this.working) {
      yield* this.#drop();
      return;
    }
    this.#stale = this.#mapping ?? this.#stale;
    this.#mapping = null;
  }

  *#giveStaleBack(): ModelTask<void> {
    const stale = this.#stale;
    if (stale === null) return;
    const attach = this.#attached;
    this.#stale = null;
    yield* dmaResvLock(attach.dmabuf.resv);
    yield* this.#parts.via.unmap(attach, stale, 'bidirectional');
    dmaResvUnlock(attach.dmabuf.resv);
  }

  *#drop(): ModelTask<void> {
    const mapping = this.#mapping;
    this.#mapping = null;
    if (mapping !== null) yield* this.#parts.via.unmap(this.#attached, mapping, 'bidirectional');
  }

  /** Says that the disk is at work; null without memory. */
  #fence(): DmaFence | null {
    const { kernel, manners } = this.#parts;
    const { resv } = this.#attached.dmabuf;
    if (dmaResvReserveFences(resv, 1) !== 0) return null;
    this.#seqno += 1;
    const fence = dmaFenceInit(
      kernel.dmaBufs,
      { name: 'disk' },
      { context: this.fenceContext, seqno: this.#seqno },
    );
    if (!manners.unfenced) dmaResvAddFence(resv, fence, DmaResvUsage.BOOKKEEP);
    return fence;
  }

  get #attached(): DmaBufAttachment<Mapping> {
    if (this.#attach === null) throw new InternalError('the disk is not attached');
    return this.#attach;
  }
}
