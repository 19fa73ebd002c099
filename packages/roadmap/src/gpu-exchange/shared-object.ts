// SharedObject: an object of the card with both importers: the disk's driver and the adapter's.
// Source followed: what a user does who lets two devices work on one buffer.
// Simplified: none.

import {
  DmaResvUsage,
  dmaBufFd,
  dmaResvLock,
  dmaResvUnlock,
  dmaResvWaitTimeout,
  MAX_SCHEDULE_TIMEOUT,
} from '@sgfree/dma-buf';
import { createBo, type GpuBo, type GpuBoSpec } from '@sgfree/gpu-driver';
import { InternalError, type ModelTask } from '@sgfree/hw-model';
import { had } from '../certain-value.ts';
import { DiskImporter, type DiskManners } from './disk-importer.ts';
import { objectBytesOf } from './exchange-data.ts';
import type { ExchangeScene } from './exchange-scene.ts';
import { FarLink } from './far-link.ts';
import { peekObject } from './object-places.ts';

/** @internal */
export class SharedObject<Mapping extends object> {
  readonly index: number;
  readonly bo: GpuBo;
  readonly disk: DiskImporter<Mapping>;
  readonly link: FarLink<Mapping>;
  readonly #scene: ExchangeScene<Mapping>;
  readonly #fd: number;

  constructor(scene: ExchangeScene<Mapping>, index: number, bo: GpuBo, fd: number, manners: DiskManners) {
    const { kernel, disk, near, faults, far, way, census, settings } = scene;
    this.#scene = scene;
    this.index = index;
    this.bo = bo;
    this.#fd = fd;
    this.disk = new DiskImporter({ kernel, disk, manners, via: census.counted(way.via, bo) });
    const at = index * objectBytesOf(settings.objectBytes, settings.objects);
    const via = census.counted(way.via, bo);
    const careless = settings.plant === 'careless';
    this.link = new FarLink({ kernel, near, faults, far, at, bytes: bo.bytes, via, careless });
  }

  /** Both import the object; 0 or the first negative errno. */
  *join(): ModelTask<number> {
    const error = yield* this.joinDisk();
    return error === 0 ? yield* this.joinPeer() : error;
  }

  /** The disk's driver attaches; 0 or a negative errno. */
  joinDisk(): ModelTask<number> {
    return this.disk.join(this.#fd);
  }

  /** The adapter's driver registers; 0 or a negative errno. */
  joinPeer(): ModelTask<number> {
    return this.link.join(this.#fd);
  }

  /** Compares the object's bytes where they lie, once they are there. */
  *compare(wanted: Uint8Array): ModelTask<void> {
    const { computer, data } = this.#scene;
    const { resv } = this.bo;
    yield* dmaResvLock(resv);
    yield* dmaResvWaitTimeout(resv, DmaResvUsage.KERNEL, false, MAX_SCHEDULE_TIMEOUT);
    data.compare(peekObject(this.bo, computer.gpu, computer.memory), wanted);
    dmaResvUnlock(resv);
  }

  /** Both give everything back, and the user closes the buffer; `diskToo` false leaves the disk attached. */
  *leave(diskToo: boolean): ModelTask<number> {
    const error = yield* this.link.leave();
    if (diskToo) yield* this.disk.leave();
    const closed = yield* this.#scene.kernel.dmaBufs.files.close(this.#fd);
    return error === 0 ? closed : error;
  }
}

/** What an object lives in, whatever its mappings are. @internal */
export type ObjectScene = Pick<ExchangeScene<object>, 'run' | 'kernel' | 'book' | 'computer' | 'settings'>;

/** An object of the card, followed from now on. @internal */
export function newObject(scene: ObjectScene, spec: GpuBoSpec, shared: boolean): GpuBo {
  const bo = had('no object', scene.run(createBo(scene.kernel.card, spec)));
  scene.book.follow(bo, shared);
  return bo;
}

/** A descriptor of the buffer over `bo`. @internal */
export function exportObject<M extends object>({ way }: ExchangeScene<M>, bo: GpuBo): number {
  const made = way.exported(bo);
  const fd = made.ok ? dmaBufFd(made.value, 0) : -made.errno;
  if (fd < 0) throw new InternalError(`an object cannot be exported: ${fd}`);
  return fd;
}
