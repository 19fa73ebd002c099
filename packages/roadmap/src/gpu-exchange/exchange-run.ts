// ExchangeRun: an exchange from the first object to the last reference.
// Source followed: the project's stage 8.
// Simplified: none.

import { destroyBo, type GpuBo } from '@sgfree/gpu-driver';
import type { EventLog } from '@sgfree/hw-model';
import { closeEnd } from '../exported-bar/rdma-end.ts';
import type { MachineObserver } from '../machine-observer.ts';
import { type WorkCounts, workSince } from '../work-counts.ts';
import { objectBytesOf } from './exchange-data.ts';
import { ExchangeScene } from './exchange-scene.ts';
import type { ExchangeWay } from './exchange-way.ts';
import type { GpuExchangeSettings } from './gpu-exchange-input.ts';
import { KeptObjects } from './kept-objects.ts';
import { ObjectMover } from './object-mover.ts';
import { ObjectTraffic } from './object-traffic.ts';
import { exportObject, newObject, SharedObject } from './shared-object.ts';
import { probeVramOnly, type VramOnlyProbe } from './vram-only-probe.ts';

/** Enough invalidations for a run. */
const MANY: number = 2 ** 20;
/** What no block of the second and the third object may exceed: their memory is fragmented. */
const FRAGMENT_BYTES: readonly (number | undefined)[] = [undefined, 8192, 16384];

/** @internal */
export class ExchangeRun<Mapping extends object> {
  readonly settings: GpuExchangeSettings;
  readonly scene: ExchangeScene<Mapping>;
  readonly objects: readonly SharedObject<Mapping>[];
  readonly traffic: readonly ObjectTraffic<Mapping>[];
  readonly mover: ObjectMover<Mapping>;
  readonly kept: KeptObjects;
  readonly vramOnly: VramOnlyProbe;
  readonly failures: string[] = [];
  /** Counters before the first object, and around the exchange alone. */
  readonly workBefore: WorkCounts;
  requestWork: WorkCounts;

  constructor(
    settings: GpuExchangeSettings,
    way: ExchangeWay<Mapping>,
    log: EventLog,
    observe?: MachineObserver,
  ) {
    this.settings = settings;
    this.scene = new ExchangeScene(settings, way, log, observe);
    const { scene } = this;
    this.workBefore = scene.kernel.translation.sampleWork();
    scene.bringUp();
    this.kept = new KeptObjects(scene);
    this.vramOnly = probeVramOnly(scene);
    this.objects = Array.from({ length: settings.objects }, (_, index) => this.#share(index));
    this.traffic = this.objects.map((object) => new ObjectTraffic(scene, object));
    this.mover = new ObjectMover(scene, this.traffic);
    this.requestWork = scene.kernel.translation.sampleWork();
  }

  /** Everything, in order. */
  run(): void {
    const { scene, traffic, mover, settings } = this;
    if (settings.plant === 'skipped-invalidation') scene.kernel.translation.unit?.dropNextInvalidations(MANY);
    for (const one of traffic) scene.scheduler.spawn(`traffic of ${one.object.bo.spec.name}`, one.run());
    scene.scheduler.spawn('mover', mover.run());
    for (const { task, at } of scene.runAll()) this.failures.push(`${task} waits at ${at} for ever`);
    this.failures.push(...traffic.flatMap(({ failure }) => failure ?? []));
    this.requestWork = workSince(this.requestWork, scene.kernel.translation.sampleWork());
    this.kept.compare(settings.plant === 'wrong-byte');
  }

  /** Everybody leaves. */
  leave(): void {
    const { scene, settings } = this;
    for (const object of this.objects) {
      const stays = settings.plant === 'left-attached' && object.index === 0;
      const error = scene.run(object.leave(!stays));
      if (error !== 0) this.failures.push(`${object.bo.spec.name} cannot be left: ${error}`);
      if (!stays) this.#destroy(object.bo);
    }
    this.kept.destroy();
    const error = scene.run(closeEnd(scene.near));
    if (error !== 0) this.failures.push(`the adapter stays in use: ${error}`);
    scene.run(scene.disk.driver.remove());
  }

  #share(index: number): SharedObject<Mapping> {
    const { scene, settings } = this;
    const { plant } = settings;
    const mostBlockBytes = FRAGMENT_BYTES[index];
    const spec = {
      name: `object ${index}`,
      bytes: objectBytesOf(settings.objectBytes, index),
      placements: ['vram', 'tt'],
      ...(mostBlockBytes === undefined ? {} : { mostBlockBytes }),
    } as const;
    const bo = newObject(scene, spec, true);
    const manners = { deaf: plant === 'deaf', unfenced: plant === 'unfenced', hasty: plant === 'hasty' };
    const object = new SharedObject(scene, index, bo, exportObject(scene, bo), manners);
    const error = scene.run(object.join());
    if (error !== 0) this.failures.push(`${bo.spec.name} cannot be imported: ${error}`);
    return object;
  }

  #destroy(bo: GpuBo): void {
    this.scene.run(destroyBo(bo));
    this.scene.book.forget(bo);
  }
}
