// RevokingExporter: an exporter that can take its memory back: the recipe of VFIO and of RDMA's uverbs.
// Source followed: the contract of dma_buf_invalidate_mappings; vfio_pci_dma_buf_move in
// drivers/vfio/pci/vfio_pci_dmabuf.c.
// Each step of the recipe is a method of its own, so that a planted bug replaces exactly one.
// Simplified: one buffer for each device; a map is one page.

import { type ModelTask, TaskCompletion, TaskRwLock } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import { type DmaBuf, getDmaBuf } from '../../src/buffer/dma-buf.ts';
import { type DmaBufAttachment, dmaBufAttachRevocable } from '../../src/buffer/dma-buf-attachment.ts';
import { dmaBufExport, dmaBufPut } from '../../src/buffer/dma-buf-export.ts';
import type { DmaBufOps } from '../../src/buffer/dma-buf-ops.ts';
import { dmaBufInvalidateMappings } from '../../src/buffer/invalidate-mappings.ts';
import { MAX_SCHEDULE_TIMEOUT } from '../../src/fence/fence-wait.ts';
import { dmaResvLock, dmaResvUnlock } from '../../src/resv/dma-resv.ts';
import { DmaResvUsage } from '../../src/resv/resv-usage.ts';
import { dmaResvWaitTimeout } from '../../src/resv/resv-wait.ts';
import { atOnce } from './at-once.ts';
import type { DmaWindow, RevokeMachine } from './revoke-machine.ts';

export type Attachment = DmaBufAttachment<DmaWindow>;

export class RevokingExporter {
  readonly machine: RevokeMachine;
  readonly dmabuf: DmaBuf<DmaWindow>;
  readonly memoryLock: TaskRwLock;
  readonly allUnmapped: TaskCompletion = new TaskCompletion('unmapped');
  revoked = false;
  /** One for the exporter, one for each map. */
  kref = 1;
  /** Page that the buffer lies in. */
  place = 0;
  /** True from the moment at which nobody may access the memory any more. */
  taken = false;
  /** Importers that cannot be revoked are refused, unless the exporter knows that they leave by themselves. */
  readonly acceptsStatic: boolean;

  constructor(machine: RevokeMachine, acceptsStatic = false) {
    this.machine = machine;
    this.acceptsStatic = acceptsStatic;
    const { platform } = machine;
    const { scheduler, order } = platform;
    this.memoryLock = new TaskRwLock({ name: 'memory_lock', lockClass: 'memory_lock', scheduler, order });
    const made = dmaBufExport<DmaWindow>(platform, {
      expName: 'bar',
      ops: this.#ops(),
      size: 4096,
      priv: this,
    });
    if (!made.ok) throw new Error('export failed');
    this.dmabuf = made.value;
  }

  /** Another user of the buffer holds a reference of it. */
  share(): DmaBuf<DmaWindow> {
    return getDmaBuf(this.dmabuf);
  }

  /** A reset: takes the memory back, and is done with it when this returns. */
  *revoke(): ModelTask<void> {
    yield* this.memoryLock.writeLock();
    yield* this.move(true);
    this.taken = true;
    this.machine.decodes = false;
    this.machine.reuse(this.place);
    this.memoryLock.writeUnlock();
  }

  /** The end of a reset: importers may map again. */
  *restore(): ModelTask<void> {
    yield* this.memoryLock.writeLock();
    this.machine.decodes = true;
    this.taken = false;
    yield* this.move(false);
    this.memoryLock.writeUnlock();
  }

  /** The last close: nothing comes back. */
  *close(): ModelTask<void> {
    yield* this.revoke();
    yield* dmaBufPut(this.dmabuf);
  }

  /** `vfio_pci_dma_buf_move`, with the memory lock held. */
  *move(revoked: boolean): ModelTask<void> {
    if (this.revoked === revoked) return;
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    yield* this.invalidate(revoked);
    yield* this.waitForFences();
    dmaResvUnlock(resv);
    if (revoked) {
      yield* this.waitForUnmap();
      return;
    }
    yield* dmaResvLock(resv);
    this.revoked = false;
    dmaResvUnlock(resv);
  }

  *invalidate(revoked: boolean): ModelTask<void> {
    if (revoked) this.revoked = true;
    yield* this.notify();
  }

  *notify(): ModelTask<void> {
    yield* dmaBufInvalidateMappings(this.dmabuf);
  }

  *waitForFences(): ModelTask<void> {
    yield* dmaResvWaitTimeout(this.dmabuf.resv, DmaResvUsage.BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
  }

  *waitForUnmap(): ModelTask<void> {
    this.put();
    yield* this.allUnmapped.wait();
    this.rearm();
  }

  rearm(): void {
    this.kref = 1;
    this.allUnmapped.reinit();
  }

  mayAttach(attach: Attachment): number {
    if (!attach.peer2peer && !this.acceptsStatic) return -Errno.EOPNOTSUPP;
    if (this.revoked) return -Errno.ENODEV;
    return dmaBufAttachRevocable(attach) || this.acceptsStatic ? 0 : -Errno.EOPNOTSUPP;
  }

  mayMap(): boolean {
    return !this.revoked;
  }

  put(): void {
    this.kref -= 1;
    if (this.kref === 0) this.allUnmapped.complete();
  }

  mapped(attach: Attachment): ModelTask<Outcome<DmaWindow>> {
    if (!this.mayMap()) return atOnce(failure(Errno.ENODEV));
    this.kref += 1;
    return atOnce(success(this.machine.open(attach.dev, this.place)));
  }

  unmapped(attach: Attachment, window: DmaWindow): ModelTask<void> {
    this.machine.close(attach.dev, window);
    this.put();
    return atOnce(undefined);
  }

  #ops(): DmaBufOps<DmaWindow> {
    return {
      attach: (_, attach) => atOnce(this.mayAttach(attach)),
      mapDmaBuf: (attach) => this.mapped(attach),
      unmapDmaBuf: (attach, window) => this.unmapped(attach, window),
      release: () => atOnce(undefined),
    };
  }
}

/** Moves the memory instead of revoking it: importers may map again at once, and only the fences are waited for. */
export class MovingExporter extends RevokingExporter {
  *relocate(): ModelTask<void> {
    const { resv } = this.dmabuf;
    yield* dmaResvLock(resv);
    yield* this.notify();
    yield* this.waitForFences();
    this.machine.reuse(this.place);
    this.place = 1;
    this.taken = true;
    dmaResvUnlock(resv);
    yield* dmaBufPut(this.dmabuf);
  }
}
