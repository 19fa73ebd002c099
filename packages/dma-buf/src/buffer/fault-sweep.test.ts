// Fault sweep: the life of a buffer with its first, second, third … allocation failing: nothing stays pinned, mapped or
// referenced, and no descriptor stays open.

import { Device, DmaPlatform } from '@sgfree/dma-core';
import type { ModelTask } from '@sgfree/hw-model';
import { PhysicalMemory } from '@sgfree/hw-model';
import { Errno, type Outcome } from '@sgfree/mm';
import { describe, expect, it } from 'vitest';
import { Exporter, face, type Mapping } from '../../test/buffer-rig.ts';
import { DmaBufPlatform } from '../dma-buf-platform.ts';
import { type DmaFence, dmaFenceInit, dmaFencePut, dmaFenceSignal } from '../fence/dma-fence.ts';
import { DMA_BUF_IOCTL, dmaBufIoctl } from '../ioctl/dma-buf-ioctl.ts';
import { dmaResvLock, dmaResvUnlock } from '../resv/dma-resv.ts';
import { dmaResvAddFence, dmaResvReserveFences } from '../resv/resv-slots.ts';
import { DmaResvUsage } from '../resv/resv-usage.ts';
import type { DmaBuf } from './dma-buf.ts';
import { type DmaBufAttachment, dmaBufAttach, dmaBufDetach } from './dma-buf-attachment.ts';
import { dmaBufExport, dmaBufFd } from './dma-buf-export.ts';
import { mapAttachment, unmapAttachment } from './map-attachment.ts';

const NAME = new TextEncoder().encode('name\0');
const words = (low: number, high: number): Uint8Array => new Uint8Array(new Uint32Array([low, high]).buffer);

/** One life: every step that fails is written down and the rest goes on as far as it can. */
class Life {
  readonly platform: DmaBufPlatform = new DmaBufPlatform();
  readonly exporter: Exporter = new Exporter(true);
  readonly fences: DmaFence[] = [];
  readonly errors: number[] = [];
  allocations = 0;

  constructor(failing: number) {
    this.platform.log.enabled = true;
    for (const context of [1, 2]) {
      this.fences.push(dmaFenceInit(this.platform, {}, { context: 100 + context, seqno: 1 }));
    }
    this.platform.allocate = () => {
      this.allocations += 1;
      return this.allocations !== failing;
    };
  }

  #note(error: number): number {
    if (error < 0) this.errors.push(error);
    return error;
  }

  #value<T>(outcome: Outcome<T>): T | null {
    if (outcome.ok) return outcome.value;
    this.errors.push(-outcome.errno);
    return null;
  }

  *run(): ModelTask<void> {
    const { ops } = this.exporter;
    const dmabuf = this.#value(
      dmaBufExport<Mapping>(this.platform, { expName: 'x', ops, size: 4096, priv: {} }),
    );
    if (dmabuf === null) return;
    const fd = dmaBufFd(dmabuf, 0);
    const dev = new Device({ name: 'd', platform: new DmaPlatform({ memory: new PhysicalMemory() }) });
    const attach = this.#value(yield* dmaBufAttach(dmabuf, dev));
    if (attach !== null) yield* this.#used(dmabuf, attach);
    yield* this.#ioctls(dmabuf);
    for (const fence of this.fences) dmaFenceSignal(fence);
    if (attach !== null) yield* dmaBufDetach(dmabuf, attach);
    yield* this.platform.files.close(fd);
  }

  *#used(dmabuf: DmaBuf<Mapping>, attach: DmaBufAttachment<Mapping>): ModelTask<void> {
    yield* dmaResvLock(dmabuf.resv);
    const mapped = yield* mapAttachment(attach, 'to-device', face);
    for (const fence of this.fences) {
      if (this.#note(dmaResvReserveFences(dmabuf.resv, 1)) === 0)
        dmaResvAddFence(dmabuf.resv, fence, DmaResvUsage.WRITE);
    }
    if (mapped.ok) yield* unmapAttachment(attach, mapped.value, 'to-device', face);
    dmaResvUnlock(dmabuf.resv);
  }

  *#ioctls(dmabuf: DmaBuf<Mapping>): ModelTask<void> {
    this.#note(yield* dmaBufIoctl(dmabuf, DMA_BUF_IOCTL.SET_NAME_B, NAME));
    const argument = words(2, -1);
    const exported = this.#note(yield* dmaBufIoctl(dmabuf, DMA_BUF_IOCTL.EXPORT_SYNC_FILE, argument));
    if (exported !== 0) return;
    const fd = new DataView(argument.buffer).getInt32(4, true);
    this.#note(yield* dmaBufIoctl(dmabuf, DMA_BUF_IOCTL.IMPORT_SYNC_FILE, words(2, fd)));
    yield* this.platform.files.close(fd);
  }
}

describe('whichever allocation fails', () => {
  it('nothing stays pinned, mapped or referenced', () => {
    let failures = 0;
    for (let failing = 1; ; failing += 1) {
      const life = new Life(failing);
      life.platform.scheduler.runTask('life', life.run());
      const { exporter, platform } = life;
      const count = (name: string): number => exporter.calls.filter((call) => call === name).length;
      const differences = [
        ['pin', 'unpin'],
        ['map', 'unmap'],
        ['attach', 'detach'],
      ].map(([a = '', b = '']) => count(a) - count(b));
      expect([failing, differences]).toEqual([failing, [0, 0, 0]]);
      expect([platform.files.count, platform.buffers.size, platform.order.allFree]).toEqual([0, 0, true]);
      expect(life.fences.map(({ refs }) => refs)).toEqual([1, 1]);
      life.fences.forEach(dmaFencePut);
      expect(platform.log.events).toEqual([]);
      if (life.allocations < failing) break;
      expect(life.errors).toEqual([-Errno.ENOMEM]);
      failures += 1;
    }
    // The buffer, the attachment, slots, the name, the snapshot, its array, the sync file, and slots again.
    expect(failures).toBe(8);
  });
});
