// An importer with a device that really reads and writes: it drops its mapping when told and maps again when asked. While an access is
// under way a fence in the reservation says so. What a mapping is, is the business of its kind.
// Simplified: one mapping at a time.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaBufAttachOps,
  DmaFence,
  DmaResvUsage,
  dmaBufDetach,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvLock,
  dmaResvReserveFences,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import type { Device } from '@sgfree/dma-core';
import {
  addOffset,
  type CompletionStatus,
  type DmaAddr,
  type ModelTask,
  type YieldPoint,
} from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import type { GpuMachine } from './gpu-machine.ts';

const ACCESS: YieldPoint = { at: 'importer:access' };
const STEP_BYTES = 4096;

/** What an importer is like. */
export interface ImporterManners {
  /** Takes a peer's memory; default true. */
  readonly peer?: boolean;
  /** Has operations; default true. */
  readonly dynamic?: boolean;
  /** Goes on using its list after it has been told; default false. */
  readonly deaf?: boolean;
  /** Says by fences what is under way; default true. */
  readonly fenced?: boolean;
}

/** What an importer does with its kind of mapping. */
export interface ImportKind<M> {
  attach(dmabuf: DmaBuf<M>, importer: PeerImporter<M>): ModelTask<Outcome<DmaBufAttachment<M>>>;
  map(attach: DmaBufAttachment<M>): ModelTask<Outcome<M>>;
  unmap(attach: DmaBufAttachment<M>, mapping: M): ModelTask<void>;
  ranges(mapping: M): Iterable<{ readonly address: DmaAddr; readonly bytes: number }>;
}

/** One importer. */
export class PeerImporter<M> {
  readonly machine: GpuMachine;
  readonly dev: Device;
  attach: DmaBufAttachment<M> | null = null;
  list: M | null = null;
  /** Invalidations so far. */
  told = 0;
  readonly manners: ImporterManners;
  readonly #kind: ImportKind<M>;
  readonly #context: number;
  #seqno = 0;
  #accesses = 0;
  #stale: M | null = null;

  constructor(machine: GpuMachine, dev: Device, kind: ImportKind<M>, manners: ImporterManners = {}) {
    this.machine = machine;
    this.dev = dev;
    this.#kind = kind;
    this.manners = manners;
    this.#context = machine.dmaBufs.takeContexts(1);
  }

  /** Its operations; null for a static importer. */
  get ops(): DmaBufAttachOps<M> | null {
    const { peer = true, dynamic = true } = this.manners;
    return dynamic ? { allowPeer2peer: peer, invalidateMappings: () => this.#invalidate() } : null;
  }

  /** Accesses under way, and whether a mapping that was taken back is still to be given back. */
  get state(): string {
    const [list, stale] = [this.list, this.#stale].map((mapping) => this.#placeOf(mapping));
    return `${list} ${stale} ${this.#accesses} ${this.told} ${this.attach !== null} ${this.#seqno}`;
  }

  /** Attaches; 0 or a negative errno. */
  *join(dmabuf: DmaBuf<M>): ModelTask<number> {
    const made = yield* this.#kind.attach(dmabuf, this);
    if (!made.ok) return -made.errno;
    this.attach = made.value;
    return 0;
  }

  /** Maps, when it is not, and waits until the bytes are there. */
  *map(): ModelTask<number> {
    const { resv } = this.#attached().dmabuf;
    yield* dmaResvLock(resv);
    const error = yield* this.#mapHeld();
    if (error === 0) yield* dmaResvWaitTimeout(resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
    dmaResvUnlock(resv);
    return error;
  }

  /** Gives the list back. */
  *unmap(): ModelTask<void> {
    const { resv } = this.#attached().dmabuf;
    yield* dmaResvLock(resv);
    yield* this.#drop();
    dmaResvUnlock(resv);
  }

  /** Gives the list back and ends the attachment. */
  *leave(): ModelTask<void> {
    const attach = this.#attached();
    yield* this.unmap();
    yield* dmaBufDetach(attach.dmabuf, attach);
    this.attach = null;
  }

  /** Maps, and reads all bytes or writes them, page by page; a fence covers it. 0 or a negative errno. */
  *access(bytes: Uint8Array, way: 'read' | 'write'): ModelTask<number> {
    const { resv } = this.#attached().dmabuf;
    yield* dmaResvLock(resv);
    const error = yield* this.#mapHeld();
    if (error === 0) yield* dmaResvWaitTimeout(resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
    const fence = error === 0 ? this.#fence() : null;
    this.#accesses += fence === null ? 0 : 1;
    dmaResvUnlock(resv);
    if (fence === null) return error === 0 ? -Errno.ENOMEM : error;
    const status = yield* this.transfer(this.list as M, bytes, way);
    this.#accesses -= 1;
    dmaFenceSignal(fence);
    dmaFencePut(fence);
    yield* this.#dropStale();
    return status === 'success' ? 0 : -Errno.EIO;
  }

  /** Moves the bytes over the bus, one page at a step. */
  *transfer(list: M, bytes: Uint8Array, way: 'read' | 'write'): ModelTask<CompletionStatus> {
    let at = 0;
    for (const { address, bytes: length } of [...this.#kind.ranges(list)]) {
      for (let done = 0; done < length; done += STEP_BYTES, at += STEP_BYTES) {
        yield ACCESS;
        const page = bytes.subarray(at, at + STEP_BYTES);
        const where = addOffset(address, done);
        const { machine, dev } = this;
        const status =
          way === 'read' ? machine.peerReads(dev, where, page) : machine.peerWrites(dev, where, page);
        if (status !== 'success') return status;
      }
    }
    return 'success';
  }

  /** Where a mapping begins. */
  #placeOf(mapping: M | null): number | null {
    const [first] = mapping === null ? [] : this.#kind.ranges(mapping);
    return first?.address ?? null;
  }

  *#mapHeld(): ModelTask<number> {
    if (this.list !== null) return 0;
    const mapped = yield* this.#kind.map(this.#attached());
    if (mapped.ok) this.list = mapped.value;
    return mapped.ok ? 0 : -mapped.errno;
  }

  /** Told: what is under way goes on under its fence, and the list goes back when it has ended. */
  *#invalidate(): ModelTask<void> {
    this.told += 1;
    if (this.manners.deaf === true) return;
    if (this.#accesses === 0) {
      yield* this.#drop();
      return;
    }
    this.#stale = this.list;
    this.list = null;
  }

  *#dropStale(): ModelTask<void> {
    const stale = this.#stale;
    if (stale === null || this.#accesses > 0) return;
    const attach = this.#attached();
    this.#stale = null;
    yield* dmaResvLock(attach.dmabuf.resv);
    yield* this.#kind.unmap(attach, stale);
    dmaResvUnlock(attach.dmabuf.resv);
  }

  *#drop(): ModelTask<void> {
    const { list } = this;
    this.list = null;
    if (list !== null) yield* this.#kind.unmap(this.#attached(), list);
  }

  /** Says that an access is under way; null without memory. */
  #fence(): DmaFence | null {
    const { resv } = this.#attached().dmabuf;
    if (dmaResvReserveFences(resv, 1) !== 0) return null;
    this.#seqno += 1;
    const fence = new DmaFence(this.machine.dmaBufs, {}, { context: this.#context, seqno: this.#seqno });
    if (this.manners.fenced !== false) dmaResvAddFence(resv, fence, DmaResvUsage.BOOKKEEP);
    return fence;
  }

  #attached(): DmaBufAttachment<M> {
    if (this.attach === null) throw new RangeError('not attached');
    return this.attach;
  }
}
