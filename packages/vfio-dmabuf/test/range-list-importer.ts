// An importer of range lists that writes into a buffer through a device's engine: each transfer is covered by a fence, and the list
// goes back when it is told to and nothing uses it.
// Simplified: one list, one transfer at a time.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaFence,
  type DmaRangeList,
  DmaResvUsage,
  dmaBufDetach,
  dmaBufGet,
  dmaBufMappingAttach,
  dmaBufMapRangeList,
  dmaBufPut,
  dmaBufUnmapRangeList,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvLock,
  dmaResvReserveFences,
  dmaResvUnlock,
  rangeListImporterMatch,
} from '@sgfree/dma-buf';
import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { VfioMachine } from './vfio-machine.ts';

/** One importer of one buffer. */
export class RangeListImporter {
  attach: DmaBufAttachment<DmaRangeList> | null = null;
  readonly #machine: VfioMachine;
  readonly #where: 'near' | 'far';
  readonly #context: number;
  #seqno = 0;
  #list: DmaRangeList | null = null;
  #busy = false;
  #told = false;

  constructor(machine: VfioMachine, where: 'near' | 'far') {
    this.#machine = machine;
    this.#where = where;
    this.#context = machine.platform.takeContexts(1);
  }

  /** Attaches to the buffer behind `fd`; 0 or a negative errno. */
  *open(fd: number): ModelTask<number> {
    const got = dmaBufGet<DmaRangeList>(this.#machine.platform, fd);
    if (!got.ok) return -got.errno;
    const offers = [rangeListImporterMatch(this.#machine[this.#where], true)];
    const ops = { allowPeer2peer: true, invalidateMappings: () => this.#invalidate() };
    const attach = yield* dmaBufMappingAttach(got.value, offers, ops, null);
    if (attach.ok) this.attach = attach.value;
    else yield* dmaBufPut(got.value);
    return attach.ok ? 0 : -attach.errno;
  }

  /** Writes at the start of the buffer; 0, the errno of mapping it, or -EIO for a request refused. */
  *write(bytes: Uint8Array): ModelTask<number> {
    const attach = this.#attached();
    const { resv } = attach.dmabuf;
    yield* dmaResvLock(resv);
    const error = yield* this.#map(attach);
    const fence = error === 0 ? this.#fence(attach.dmabuf) : null;
    this.#busy = error === 0;
    dmaResvUnlock(resv);
    if (fence === null) return error;
    const at = this.#list?.at(0).address;
    if (at === undefined) throw new InternalError('no list');
    const status = yield* this.#machine.engines[this.#where].write(at, bytes);
    this.#busy = false;
    dmaFenceSignal(fence);
    dmaFencePut(fence);
    if (this.#told) yield* this.#giveBack();
    return status === 'success' ? 0 : -Errno.EIO;
  }

  /** Unmaps, detaches, and drops the reference. */
  *close(): ModelTask<void> {
    const attach = this.#attached();
    yield* this.#giveBack();
    yield* dmaBufDetach(attach.dmabuf, attach);
    yield* dmaBufPut(attach.dmabuf);
  }

  *#map(attach: DmaBufAttachment<DmaRangeList>): ModelTask<number> {
    if (this.#list !== null) return 0;
    const list = yield* dmaBufMapRangeList(attach, 'bidirectional');
    if (!list.ok) return -list.errno;
    this.#list = list.value;
    this.#told = false;
    return 0;
  }

  #fence(dmabuf: DmaBuf<DmaRangeList>): DmaFence {
    this.#seqno += 1;
    const fence = dmaFenceInit(this.#machine.platform, {}, { context: this.#context, seqno: this.#seqno });
    if (dmaResvReserveFences(dmabuf.resv, 1) !== 0) throw new InternalError('no slot');
    dmaResvAddFence(dmabuf.resv, fence, DmaResvUsage.BOOKKEEP);
    return fence;
  }

  /** With the lock held. */
  *#invalidate(): ModelTask<void> {
    this.#told = true;
    if (!this.#busy) yield* this.#unmap();
  }

  *#giveBack(): ModelTask<void> {
    const { resv } = this.#attached().dmabuf;
    yield* dmaResvLock(resv);
    if (!this.#busy) yield* this.#unmap();
    dmaResvUnlock(resv);
  }

  *#unmap(): ModelTask<void> {
    const list = this.#list;
    this.#list = null;
    if (list !== null) yield* dmaBufUnmapRangeList(this.#attached(), list, 'bidirectional');
  }

  #attached(): DmaBufAttachment<DmaRangeList> {
    if (this.attach === null) throw new InternalError('not attached');
    return this.attach;
  }
}
