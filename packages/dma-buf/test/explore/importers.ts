// Importers: drivers that attach, map, let their engine work and leave, each in one of the ways that the contract allows.
// Source followed: the importer's duties in the documentation of dma_buf_attach_ops; the RDMA importers (pinned, on
// demand) as far as they differ in when they unmap.
// Simplified: the driver is the one that waits for its engine; a job is two requests.

import type { ModelTask, TransferStatus } from '@sgfree/hw-model';
import type { DmaBuf } from '../../src/buffer/dma-buf.ts';
import { dmaBufDetach, dmaBufDynamicAttach } from '../../src/buffer/dma-buf-attachment.ts';
import { dmaBufPut } from '../../src/buffer/dma-buf-export.ts';
import type { DmaBufAttachOps } from '../../src/buffer/dma-buf-ops.ts';
import {
  type MappingFace,
  mapAttachment,
  plainFace,
  unmapAttachment,
} from '../../src/buffer/map-attachment.ts';
import { type DmaFence, dmaFenceInit, dmaFencePut, dmaFenceSignal } from '../../src/fence/dma-fence.ts';
import { dmaResvLock, dmaResvUnlock } from '../../src/resv/dma-resv.ts';
import { dmaResvAddFence, dmaResvReserveFences } from '../../src/resv/resv-slots.ts';
import { DmaResvUsage } from '../../src/resv/resv-usage.ts';
import { atOnce } from './at-once.ts';
import { type DmaWindow, type Initiator, JOB_BYTES } from './revoke-machine.ts';
import type { Attachment, RevokingExporter } from './revoking-exporter.ts';

const face = plainFace as MappingFace<DmaWindow>;
const JOB = new Uint8Array(JOB_BYTES).fill(0x11);

/** What all importers share. */
export abstract class Importer {
  readonly name: string;
  readonly dmabuf: DmaBuf<DmaWindow>;
  readonly side: Initiator;
  readonly jobs: number;
  attach: Attachment | null = null;
  window: DmaWindow | null = null;
  /** Times the exporter called. */
  told = 0;
  /** How each attempt ended. */
  readonly results: string[] = [];
  readonly fences: DmaFence[] = [];
  readonly #context: number;
  #toldBeforeMap = 0;

  constructor(name: string, exporter: RevokingExporter, jobs = 1) {
    const { machine } = exporter;
    this.name = name;
    this.side = machine.initiators.find(({ dev }) => dev.name === name) as Initiator;
    this.dmabuf = exporter.share();
    this.jobs = jobs;
    this.#context = machine.platform.takeContexts(1);
  }

  /** Null for a static importer. */
  get ops(): DmaBufAttachOps<DmaWindow> | null {
    return { allowPeer2peer: true, invalidateMappings: () => this.invalidated() };
  }

  /** True when the exporter called since the last map. */
  get wasTold(): boolean {
    return this.told > this.#toldBeforeMap;
  }

  /** The exporter's call, with the lock held. */
  invalidated(): ModelTask<void> {
    this.told += 1;
    return atOnce(undefined);
  }

  *run(): ModelTask<void> {
    const attach = yield* dmaBufDynamicAttach(this.dmabuf, this.side.dev, this.ops, this);
    if (attach.ok) {
      this.attach = attach.value;
      for (let job = 0; job < this.jobs; job += 1) yield* this.job();
      yield* dmaBufDetach(this.dmabuf, attach.value);
      this.attach = null;
    } else this.results.push(`attach ${attach.errno}`);
    for (const fence of this.fences) dmaFencePut(fence);
    yield* dmaBufPut(this.dmabuf);
  }

  /** One use of the buffer: map, work, unmap. */
  abstract job(): ModelTask<void>;

  /** Maps, with the lock held; the errno goes to the results. */
  *map(): ModelTask<boolean> {
    const mapped = yield* mapAttachment(this.attach as Attachment, 'bidirectional', face);
    this.#toldBeforeMap = this.told;
    if (mapped.ok) this.window = mapped.value;
    else this.results.push(`map ${mapped.errno}`);
    return mapped.ok;
  }

  /** Unmaps, with the lock held, if there is anything to unmap. */
  *unmap(): ModelTask<void> {
    const { window } = this;
    if (window === null) return;
    this.window = null;
    yield* unmapAttachment(this.attach as Attachment, window, 'bidirectional', face);
  }

  *unmapUnlocked(): ModelTask<void> {
    yield* dmaResvLock(this.dmabuf.resv);
    yield* this.unmap();
    dmaResvUnlock(this.dmabuf.resv);
  }

  /** A fence for work that is about to start, known to the reservation, with the lock held. */
  submit(): DmaFence {
    const { platform, resv } = this.dmabuf;
    const identity = { context: this.#context, seqno: this.fences.length + 1 };
    const fence = dmaFenceInit(platform, { name: this.name }, identity);
    dmaResvReserveFences(resv, 1);
    dmaResvAddFence(resv, fence, DmaResvUsage.BOOKKEEP);
    this.fences.push(fence);
    return fence;
  }

  /** The engine writes to where the window is now. */
  *work(): ModelTask<TransferStatus> {
    const { address } = this.window as DmaWindow;
    const status = yield* this.side.engine.write(address, JOB);
    this.results.push(status);
    return status;
  }

  get text(): string {
    const fences = this.fences.map(
      ({ signaled, refs, callbacks }) => `${signaled}${refs}${callbacks.length}`,
    );
    return `${this.told} ${this.wasTold} ${this.attach !== null} ${this.window?.place} ${this.results.join()} ${fences.join()}`;
  }
}

/** Cannot stop its engine: a fence covers the work, and it unmaps when that is done. */
export class FencedImporter extends Importer {
  *job(): ModelTask<void> {
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    const mapped = yield* this.map();
    const fence = mapped ? this.submit() : null;
    dmaResvUnlock(resv);
    if (fence === null) return;
    yield* this.work();
    dmaFenceSignal(fence);
    yield* this.unmapUnlocked();
  }
}

/** Stops its engine at once and unmaps in the callback; the job that was stopped is tried again once. */
export class StoppingImporter extends Importer {
  override *invalidated(): ModelTask<void> {
    this.told += 1;
    this.side.engine.halt();
    yield* this.unmap();
  }

  *job(): ModelTask<void> {
    if ((yield* this.attempt()) === 'halted') yield* this.attempt();
  }

  *attempt(): ModelTask<TransferStatus | null> {
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    const mapped = yield* this.map();
    dmaResvUnlock(resv);
    if (!mapped) return null;
    const status = yield* this.work();
    yield* this.unmapUnlocked();
    return status;
  }
}

/** Keeps its mapping until it is told to give it up, as a pinned, revocable memory region does. */
export class KeepingImporter extends FencedImporter {
  override *unmapUnlocked(): ModelTask<void> {
    yield { at: 'importer:told', until: () => this.wasTold };
    yield* super.unmapUnlocked();
  }
}

/** Stops at once, unmaps in the callback, and tries to map again right there; keeps what it gets until told again. */
export class RemappingImporter extends Importer {
  override *invalidated(): ModelTask<void> {
    this.told += 1;
    if (this.window === null) return;
    this.side.engine.halt();
    yield* this.unmap();
    yield* this.map();
  }

  *job(): ModelTask<void> {
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    const mapped = yield* this.map();
    dmaResvUnlock(resv);
    if (!mapped) return;
    yield* this.work();
    yield { at: 'importer:told', until: () => this.window === null || this.wasTold };
    yield* this.unmapUnlocked();
  }
}

/** Knows nothing of revoking; leaves by itself. */
export class StaticImporter extends FencedImporter {
  override get ops(): null {
    return null;
  }
}
