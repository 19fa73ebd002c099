// VfioPciDmaBuf: what the exporter knows of one buffer: ranges of a BAR, who maps them, whether they are taken back.
// Source followed: drivers/vfio/pci/vfio_pci_dmabuf.c (struct vfio_pci_dma_buf).
// Every mapping holds a reference, and the buffer one more; the completion fires when the last one goes. A revoke drops
// the buffer's own, waits, and arms both again.
// Simplified: none.

import type { DmaBuf, PhysVec } from '@sgfree/dma-buf';
import { InternalError, TaskCompletion } from '@sgfree/hw-model';
import type { P2pdmaProvider } from '@sgfree/p2p';
import type { VfioPciDevice } from '../device/vfio-pci-device.ts';

/**
 * Ranges of a device's memory with one provider.
 * @public
 */
export interface VfioPhysRanges {
  readonly provider: P2pdmaProvider;
  readonly physVec: readonly PhysVec[];
}

/**
 * The exporter's side of a buffer.
 * @kernel vfio_pci_dma_buf
 * @public
 */
export class VfioPciDmaBuf {
  /** Null once the device has been closed. */
  vdev: VfioPciDevice | null;
  readonly provider: P2pdmaProvider;
  /** In the order that the user asked for; byte 0 of the buffer is the first one's. */
  readonly physVec: readonly PhysVec[];
  /** Bytes of all ranges. */
  readonly size: number;
  /** Set and cleared under the reservation lock. */
  revoked = true;
  /** Mappings, and one for the buffer. */
  kref = 1;
  readonly #waits: boolean;
  #dmabuf: DmaBuf<unknown> | null = null;
  #done: TaskCompletion | null = null;

  /** @internal */
  constructor(vdev: VfioPciDevice, ranges: VfioPhysRanges, size: number) {
    this.vdev = vdev;
    this.provider = ranges.provider;
    this.physVec = ranges.physVec;
    this.size = size;
    this.#waits = vdev.revoke === 'wait';
  }

  /** True for an exporter that waits until its memory is not used any more. */
  get waits(): boolean {
    return this.#waits;
  }

  get dmabuf(): DmaBuf<unknown> {
    if (this.#dmabuf === null) throw new InternalError('a buffer is used before it is exported');
    return this.#dmabuf;
  }

  /** Fires when every mapping has been given back. */
  get done(): TaskCompletion {
    if (this.#done === null) throw new InternalError('a buffer is used before it is exported');
    return this.#done;
  }

  /** Names the buffer in logs and in reports of tasks that wait for it. */
  get name(): string {
    return `${this.dmabuf.expName}#${this.dmabuf.inode}`;
  }

  /** Ties it to what the core made. @internal */
  exported(dmabuf: DmaBuf<unknown>): void {
    this.#dmabuf = dmabuf;
    this.#done = new TaskCompletion(`mappings of ${this.name}`);
  }

  /** A mapping was made. @internal */
  get(): void {
    this.kref += 1;
  }

  /** A mapping was given back, or the memory is to be taken. @internal */
  put(): void {
    if (this.kref === 0) throw new InternalError(`${this.name} is unmapped more often than mapped`);
    this.kref -= 1;
    if (this.kref === 0) this.done.complete();
  }

  /** After a wait: mappings can be made and waited for again. @internal */
  rearm(): void {
    this.kref = 1;
    this.done.reinit();
  }
}
