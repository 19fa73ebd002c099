// An importer that maps a buffer, writes into it through a device's engine, and gives it back when it is told to: each
// transfer is covered by a fence, and the mapping goes when nothing uses it.
// Simplified: one mapping, one transfer at a time.

import {
  type DmaBuf,
  type DmaBufAttachment,
  type DmaFence,
  DmaResvUsage,
  dmaBufDetach,
  dmaBufGet,
  dmaBufPut,
  dmaFenceInit,
  dmaFencePut,
  dmaFenceSignal,
  dmaResvAddFence,
  dmaResvLock,
  dmaResvReserveFences,
  dmaResvUnlock,
} from '@sgfree/dma-buf';
import { dmaBufMapAttachment, dmaBufUnmapAttachment } from '@sgfree/dma-buf/sgt';
import { dmaBufDynamicAttach } from '@sgfree/dma-buf/stage-6';
import { dmaAddr, InternalError, type ModelTask } from '@sgfree/hw-model';
import { Errno } from '@sgfree/mm';
import type { VfioSgTable } from '../src/stage-6.ts';
import type { VfioMachine } from './vfio-machine.ts';

/** How an importer treats the call that takes its mapping back. */
export type ImporterManners =
  /** Ends its transfer, then unmaps. */
  | 'good'
  /** Never unmaps. */
  | 'keeps-mapping'
  /** Does not fence its transfers. */
  | 'no-fence'
  /** Unmaps at once, also during a transfer: only its fence covers that one. */
  | 'unmaps-early';

/** One importer of one buffer. */
export class TestImporter {
  attach: DmaBufAttachment<VfioSgTable> | null = null;
  /** How often it was told. */
  told = 0;
  onTold: (() => void) | null = null;
  /** Errnos of maps tried from within the call. */
  readonly remaps: number[] = [];
  remapInside = false;
  /** Errno of the last attach or map; 0. */
  error = 0;
  written = 0;
  readonly #machine: VfioMachine;
  readonly #where: 'near' | 'far';
  readonly #manners: ImporterManners;
  readonly #context: number;
  #seqno = 0;
  #table: VfioSgTable | null = null;
  #busy = false;
  #told = false;

  constructor(machine: VfioMachine, where: 'near' | 'far' = 'near', manners: ImporterManners = 'good') {
    this.#machine = machine;
    this.#where = where;
    this.#manners = manners;
    this.#context = machine.platform.takeContexts(1);
  }

  get mapped(): boolean {
    return this.#table !== null;
  }

  /** Attaches to the buffer behind `fd`; 0 or a negative errno. */
  *open(fd: number): ModelTask<number> {
    const { platform } = this.#machine;
    const got = dmaBufGet<VfioSgTable>(platform, fd);
    if (!got.ok) return -got.errno;
    const dev = this.#machine[this.#where];
    const importerOps = { allowPeer2peer: true, invalidateMappings: () => this.#invalidate() };
    const attach = yield* dmaBufDynamicAttach(got.value, dev, importerOps, null);
    if (attach.ok) this.attach = attach.value;
    else yield* dmaBufPut(got.value);
    this.error = attach.ok ? 0 : -attach.errno;
    return this.error;
  }

  /** Writes `bytes` at the start of the buffer; 0 or a negative errno of mapping it, -EIO for a request refused. */
  *write(bytes: Uint8Array): ModelTask<number> {
    const attach = this.#attached();
    const { resv } = attach.dmabuf;
    yield* dmaResvLock(resv);
    this.error = yield* this.#map(attach);
    const fence = this.error === 0 && this.#manners !== 'no-fence' ? this.#fence(attach.dmabuf) : null;
    this.#busy = this.error === 0;
    dmaResvUnlock(resv);
    if (this.error !== 0) return this.error;
    const address = dmaAddr(this.#table?.list.dmaAddress[0] ?? -1);
    const status = yield* this.#machine.engines[this.#where].write(address, bytes);
    this.#busy = false;
    if (status === 'success') this.written += bytes.length;
    if (fence !== null) {
      dmaFenceSignal(fence);
      dmaFencePut(fence);
    }
    if (this.#told) yield* this.#giveBack();
    return status === 'success' ? 0 : -Errno.EIO;
  }

  /** Maps without writing; 0 or a negative errno. */
  *map(): ModelTask<number> {
    const attach = this.#attached();
    yield* dmaResvLock(attach.dmabuf.resv);
    this.error = yield* this.#map(attach);
    dmaResvUnlock(attach.dmabuf.resv);
    return this.error;
  }

  /** Unmaps, detaches, and drops the reference. */
  *close(): ModelTask<void> {
    const { attach } = this;
    if (attach === null) return;
    yield* this.#giveBack();
    yield* dmaBufDetach(attach.dmabuf, attach);
    yield* dmaBufPut(attach.dmabuf);
    this.attach = null;
  }

  *#map(attach: DmaBufAttachment<VfioSgTable>): ModelTask<number> {
    if (this.#table !== null) return 0;
    const table = yield* dmaBufMapAttachment(attach, 'bidirectional');
    if (!table.ok) return -table.errno;
    this.#table = table.value;
    this.#told = false;
    return 0;
  }

  #fence(dmabuf: DmaBuf<VfioSgTable>): DmaFence {
    this.#seqno += 1;
    const fence = dmaFenceInit(this.#machine.platform, {}, { context: this.#context, seqno: this.#seqno });
    if (dmaResvReserveFences(dmabuf.resv, 1) !== 0) throw new InternalError('no slot');
    dmaResvAddFence(dmabuf.resv, fence, DmaResvUsage.BOOKKEEP);
    return fence;
  }

  /** With the lock held. */
  *#invalidate(): ModelTask<void> {
    const attach = this.#attached();
    this.told += 1;
    this.onTold?.();
    this.#told = true;
    const idle = !this.#busy || this.#manners === 'unmaps-early';
    if (this.#manners !== 'keeps-mapping' && idle) yield* this.#unmap(attach);
    if (!this.remapInside) return;
    const again = yield* dmaBufMapAttachment(attach, 'bidirectional');
    this.remaps.push(again.ok ? 0 : -again.errno);
    if (again.ok) yield* dmaBufUnmapAttachment(attach, again.value, 'bidirectional');
  }

  *#giveBack(): ModelTask<void> {
    if (this.#manners === 'keeps-mapping') return;
    const attach = this.#attached();
    yield* dmaResvLock(attach.dmabuf.resv);
    if (!this.#busy) yield* this.#unmap(attach);
    dmaResvUnlock(attach.dmabuf.resv);
  }

  *#unmap(attach: DmaBufAttachment<VfioSgTable>): ModelTask<void> {
    if (this.#table === null) return;
    const table = this.#table;
    this.#table = null;
    yield* dmaBufUnmapAttachment(attach, table, 'bidirectional');
  }

  #attached(): DmaBufAttachment<VfioSgTable> {
    if (this.attach === null) throw new InternalError('not attached');
    return this.attach;
  }
}
