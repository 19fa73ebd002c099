// RevokeCast: everybody who takes part in a revoke: the scene, the lent memory with a watch on it, the regions, the peer's
// connections. The run and the explorer are made of the same cast.
// Source followed: export by VFIO_DEVICE_FEATURE, import by ibv_reg_dmabuf_mr, transfers of a peer.
// Simplified: one buffer, the first bytes of the BAR.

import { Clock, EventLog, InternalError, type ModelTask, type Scheduler } from '@sgfree/hw-model';
import type { VfioPciDmaBuf } from '@sgfree/vfio-dmabuf/stage-6';
import { ExportedBarScene } from '../exported-bar/exported-bar-scene.ts';
import type { MachineObserver } from '../machine-observer.ts';
import type { PeerPlace } from '../peer-tree-site.ts';
import { LentConnection } from './lent-connection.ts';
import { LentSlots } from './lent-slots.ts';
import { LentTraffic } from './lent-traffic.ts';
import { RevokeImporter } from './revoke-importer.ts';
import type { RevokeImporterKind, RevokeOperation, RevokePlant } from './revoke-input.ts';
import { importOver, type RevokeImport } from './revoke-operation.ts';
import { WatchedMemory } from './watched-memory.ts';

/** Least bytes of the BAR. */
const LEAST_BAR_BYTES = 2 ** 16;

/** How a cast is put together. @internal */
export interface RevokeCastSpec {
  readonly scheduler: Scheduler;
  readonly importers: readonly RevokeImporterKind[];
  readonly place: PeerPlace;
  readonly iommu: boolean;
  readonly seed: number;
  /** Work requests of each region, and the bytes of one. */
  readonly jobs: number;
  readonly jobBytes: number;
  readonly plant?: RevokePlant;
  /** Default `table`. */
  readonly op?: RevokeOperation;
  readonly observe?: MachineObserver;
}

/** A region with its connection and its traffic. @internal */
export interface RevokeRole {
  readonly importer: RevokeImporter;
  readonly connection: LentConnection;
  readonly traffic: LentTraffic;
  /** Further traffic of the same peer, without planted faults. */
  more(): LentTraffic;
}

/** @internal */
export class RevokeCast {
  readonly scene: ExportedBarScene;
  readonly memory: WatchedMemory;
  readonly slots: LentSlots;
  readonly log: EventLog = new EventLog();
  readonly roles: readonly RevokeRole[];
  /** How regions get at the memory. */
  readonly way: RevokeImport;
  /** Descriptor of the buffer. */
  readonly fd: number;
  /** The exporter's side of it. */
  readonly lent: VfioPciDmaBuf;

  constructor(spec: RevokeCastSpec) {
    const { scheduler, importers, place, iommu, plant } = spec;
    const clock = scheduler.clock ?? new Clock();
    this.log.enabled = true;
    this.way = importOver(spec.op ?? 'table');
    this.slots = new LentSlots(importers.length, spec.jobs, spec.jobBytes, spec.seed);
    const barBytes = Math.max(LEAST_BAR_BYTES, 2 ** Math.ceil(Math.log2(this.slots.bytes)));
    this.memory = new WatchedMemory(barBytes, () => clock.step);
    this.scene = new ExportedBarScene({
      scheduler,
      peer: place,
      iommu,
      log: this.log,
      bar: this.memory,
      farBytes: this.slots.bytes,
      ...(spec.observe === undefined ? {} : { observe: spec.observe }),
      ...(this.way.exporter === undefined ? {} : { exporter: this.way.exporter }),
      vfio: plant === 'exporter-does-not-wait' ? { revoke: 'notify' } : {},
    });
    this.fd = this.scene.run(this.scene.exportBar({ offset: 0, length: this.slots.bytes }));
    const [lent] = this.scene.vdev.dmabufs;
    if (this.fd < 0 || lent === undefined) throw new InternalError(`the memory is not lent: ${this.fd}`);
    this.lent = lent;
    this.#fill();
    this.roles = importers.map((kind, region) => this.#role(kind, region, plant));
  }

  /** Runs a task to its end, everything else with it. */
  run<T>(task: ModelTask<T>): T {
    return this.scene.run(task);
  }

  /** The owner's bytes into the lent memory, the peer's into its own. */
  #fill(): void {
    const { slots, memory, scene } = this;
    for (let slot = 0; slot < slots.count; slot += 1) {
      memory.poke(slots.offset(slot), slots.held(slot));
      scene.far.store(slots.offset(slot), slots.sent(slot));
    }
  }

  #role(kind: RevokeImporterKind, region: number, plant: RevokePlant | undefined): RevokeRole {
    const { scene, slots, fd, way } = this;
    const request = scene.request(fd, { offset: 0, length: slots.bytes }, way.via);
    const { pd } = scene.near;
    const planted = plant === undefined ? {} : { plant };
    const name = `region ${region}`;
    const importer = new RevokeImporter({ name, kind, pd, request, faults: scene.faults, ...planted });
    const connection = new LentConnection(scene);
    const { lkey } = scene.far.region;
    const rkey = (): number => importer.region?.mr.rkey ?? 0;
    const parts = { connection, lkey, slots, region, rkey };
    const traffic = new LentTraffic(plant === 'lost-completion' ? { ...parts, loses: 1 } : parts);
    return { importer, connection, traffic, more: () => new LentTraffic(parts) };
  }
}
