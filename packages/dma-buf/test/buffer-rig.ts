// A machine with one buffer whose exporter writes down what it is asked for and can be told to fail at one step.
// Source followed: none.
// Simplified: for tests only; a mapping is a word.

import { Device, DmaPlatform } from '@sgfree/dma-core';
import { Clock, type ModelTask, PhysicalMemory, Scheduler } from '@sgfree/hw-model';
import { Errno, failure, type Outcome, success } from '@sgfree/mm';
import type { DmaBuf } from '../src/buffer/dma-buf.ts';
import { type DmaBufAttachment, dmaBufDynamicAttach } from '../src/buffer/dma-buf-attachment.ts';
import { dmaBufExport } from '../src/buffer/dma-buf-export.ts';
import type { DmaBufOps } from '../src/buffer/dma-buf-ops.ts';
import type { MappingFace } from '../src/buffer/map-attachment.ts';
import { plainFace } from '../src/buffer/map-attachment.ts';
import { DmaBufPlatform } from '../src/dma-buf-platform.ts';
import { type DmaFence, dmaFenceInit, dmaFencePut } from '../src/fence/dma-fence.ts';
import { dmaResvLock, dmaResvTrylock, dmaResvUnlock } from '../src/resv/dma-resv.ts';
import { dmaResvAddFence, dmaResvReserveFences } from '../src/resv/resv-slots.ts';
import type { DmaResvUsage } from '../src/resv/resv-usage.ts';

/** What the exporter maps. */
export type Mapping = string;
/** The exporter's own mapping. */
export const face: MappingFace<Mapping> = plainFace as MappingFace<Mapping>;

/** An exporter that writes down what it is asked for and can be told to fail at one step. */
export class Exporter {
  readonly calls: string[] = [];
  failing: string | null = null;
  /** What the failing step says. */
  errno: Errno = Errno.EIO;
  onCall: (name: string) => void = () => {};
  readonly ops: DmaBufOps<Mapping>;

  constructor(pins: boolean) {
    const step = (name: string): ModelTask<number> => this.#step(name);
    const done = (name: string): ModelTask<void> => this.#done(name);
    const pinning = { pin: () => step('pin'), unpin: () => done('unpin') };
    this.ops = {
      attach: () => step('attach'),
      detach: () => done('detach'),
      ...(pins ? pinning : {}),
      mapDmaBuf: () => this.#map(),
      unmapDmaBuf: () => done('unmap'),
      release: () => done('release'),
      beginCpuAccess: () => step('begin'),
      vmap: () => this.#vmap(),
      vunmap: () => done('vunmap'),
      mmap: () => step('mmap'),
    };
  }

  *#step(name: string): ModelTask<number> {
    yield { at: `exporter:${name}` };
    this.calls.push(name);
    this.onCall(name);
    return this.failing === name ? -this.errno : 0;
  }

  *#done(name: string): ModelTask<void> {
    yield* this.#step(name);
  }

  *#map(): ModelTask<Outcome<Mapping | null>> {
    yield* this.#step('map');
    if (this.failing === 'map-null') return success(null);
    return this.failing === 'map' ? failure(Errno.EIO) : success('mapping');
  }

  *#vmap(): ModelTask<Outcome<object>> {
    const error = yield* this.#step('vmap');
    return error === 0 ? success({}) : failure(Errno.EIO);
  }
}

/** The machine. */
export class Bench {
  readonly platform: DmaBufPlatform;
  readonly exporter: Exporter;
  readonly dmabuf: DmaBuf<Mapping>;
  readonly dev: Device = new Device({
    name: 'importer',
    platform: new DmaPlatform({ memory: new PhysicalMemory() }),
  });

  constructor(pins = true) {
    this.platform = new DmaBufPlatform({ scheduler: new Scheduler({ clock: new Clock() }) });
    this.platform.log.enabled = true;
    this.exporter = new Exporter(pins);
    const made = dmaBufExport<Mapping>(this.platform, {
      expName: 'test',
      ops: this.exporter.ops,
      size: 8192,
      priv: {},
    });
    if (!made.ok) throw new Error('export failed');
    this.dmabuf = made.value;
  }

  run<T>(task: ModelTask<T>): T {
    return this.platform.scheduler.runTask('test', task);
  }

  /** Runs `body` with the reservation lock held. */
  locked<T>(body: () => ModelTask<T>): T {
    const { resv } = this.dmabuf;
    function* inside(): ModelTask<T> {
      yield* dmaResvLock(resv);
      const result = yield* body();
      dmaResvUnlock(resv);
      return result;
    }
    return this.run(inside());
  }

  attach(importerOps: Parameters<typeof dmaBufDynamicAttach<Mapping>>[2]): DmaBufAttachment<Mapping> {
    const attach = this.run(dmaBufDynamicAttach(this.dmabuf, this.dev, importerOps, null));
    if (!attach.ok) throw new Error('attach failed');
    return attach.value;
  }

  fence(usage: DmaResvUsage): DmaFence {
    const { resv } = this.dmabuf;
    const fence = dmaFenceInit(this.platform, {}, { context: this.platform.takeContexts(1), seqno: 1 });
    dmaResvTrylock(resv);
    dmaResvReserveFences(resv, 1);
    dmaResvAddFence(resv, fence, usage);
    dmaResvUnlock(resv);
    dmaFencePut(fence);
    return fence;
  }

  rules(): unknown[] {
    return this.platform.log.events.map((event) => event['rule']);
  }
}
