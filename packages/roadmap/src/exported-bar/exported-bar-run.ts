// ExportedBarRun: one list of I/Os between a peer on the wire and a BAR that its VFIO user exports: export, registration,
// every transfer with every byte compared, and everything given back.
// Source followed: the project's design: the same I/O at every stage; counters come from hardware and IOMMU software.
// Simplified: one registration for the whole list, as a user of verbs would do; the transfers of one I/O are in flight
// together.

import { type ModelTask, PAGE_SIZE } from '@sgfree/hw-model';
import { errnoName } from '@sgfree/mm';
import { vfioPciCoreCloseDevice } from '@sgfree/vfio-dmabuf';
import { BLOCK_BYTES, IoData, mediumFor } from '../io-data.ts';
import { type IoRecord, ioBytes } from '../io-record.ts';
import { DISK_BYTES } from '../machine-shape.ts';
import { PeerBuffers } from '../peer-buffers.ts';
import { PeerSiteError } from '../peer-site.ts';
import { NO_WORK, type WorkCounts, workSince } from '../work-counts.ts';
import type { BarImporter, BarRegion } from './bar-importer.ts';
import type { ExportedBarInput } from './exported-bar-input.ts';
import { ExportedBarScene } from './exported-bar-scene.ts';
import { forcedBusAddress } from './forced-bus-address.ts';
import { LentBarData } from './lent-bar-data.ts';
import { LENT_BAR } from './near-computer.ts';
import { closeEnd } from './rdma-end.ts';
import { RuleLog } from './rule-log.ts';
import { TransferTally } from './transfer-tally.ts';

/**
 * A run, from export to close.
 * @internal
 */
export class ExportedBarRun {
  readonly input: ExportedBarInput;
  readonly importer: BarImporter;
  readonly log: RuleLog;
  readonly scene: ExportedBarScene;
  readonly buffers: PeerBuffers;
  readonly tally: TransferTally = new TransferTally();
  /** Counters before the export. */
  readonly started: WorkCounts;
  /** What the transfers cost, registration and export left out. */
  requestWork: WorkCounts = NO_WORK;
  /** The region as it was made; 0 blocks where it was refused. */
  region: { readonly blockBytes: number; readonly blocks: number } = { blockBytes: 0, blocks: 0 };
  readonly #ios: readonly IoRecord[];
  readonly #data: IoData;
  readonly #medium: ReturnType<typeof mediumFor>;

  /** Throws {@link PeerSiteError} when no I/O fits the BAR. */
  constructor(input: ExportedBarInput, importer: BarImporter) {
    this.input = input;
    this.importer = importer;
    this.log = new RuleLog(input.log);
    this.scene = sceneOf(input, importer, this.log);
    const { computer, kernel, barBytes } = this.scene;
    this.buffers = new PeerBuffers(input.ios, barBytes);
    if (this.buffers.pages === 0) throw new PeerSiteError('no I/O of the list fits the exported BAR');
    this.#ios = this.buffers.at(computer.fabric.barPhys(computer.disk, LENT_BAR));
    this.#medium = mediumFor(input.seed, DISK_BYTES / BLOCK_BYTES);
    this.#data = new IoData(computer.memory, this.#medium, input.seed);
    this.started = kernel.sampleWork();
  }

  /** Export, registration, every I/O, and back. */
  *all(): ModelTask<void> {
    const { scene, tally } = this;
    const fd = yield* scene.exportBar({ offset: 0, length: scene.barBytes });
    if (fd < 0) tally.note('probe', -1, `the BAR cannot be exported: ${errnoName(fd)}`);
    else yield* this.#withBuffer(fd);
    const error = yield* closeEnd(scene.near);
    if (error !== 0) tally.note('teardown', -1, `the adapter stays in use: ${errnoName(error)}`);
    yield* vfioPciCoreCloseDevice(scene.vdev);
  }

  *#withBuffer(fd: number): ModelTask<void> {
    const { scene, importer } = this;
    const window = { offset: 0, length: this.buffers.pages * PAGE_SIZE };
    const request = scene.request(fd, window, importer.via);
    const made = yield* importer.register(scene.near.pd, request, window.offset, scene.faults);
    if (made.ok) yield* this.#transferAll(made.value);
    else this.#refuseAll(errnoName(made.errno));
    yield* scene.closeDescriptor(fd);
  }

  *#transferAll(region: BarRegion): ModelTask<void> {
    const { scene, importer, tally } = this;
    const { mr } = region;
    this.region = { blockBytes: mr.pageSize, blocks: mr.maxPages };
    scene.tables.lookAtTablesOut();
    const { computer, kernel } = scene;
    const bar = computer.fabric.barPhys(computer.disk, LENT_BAR);
    const data = new LentBarData(scene.far, this.#medium, bar, mr.rkey);
    const before = kernel.sampleWork();
    for (const [index, io] of this.#ios.entries()) {
      yield* this.#one(io, index, data);
      this.input.onIo?.(index + 1);
    }
    this.requestWork = workSince(before, kernel.sampleWork());
    const error = yield* importer.deregister(region);
    if (error !== 0) tally.note('teardown', -1, `the region stays: ${errnoName(error)}`);
  }

  *#one(io: IoRecord, index: number, data: LentBarData): ModelTask<void> {
    this.#data.prepare(io, index);
    data.prepare(io);
    const transfers = data.transfersOf(io);
    const done = yield* this.scene.far.transfer(transfers);
    this.tally.completed(index, transfers.length, done);
    data.finish(io);
    this.tally.compared(index, io, this.#data.verify(io));
  }

  /** Nothing can be moved; every I/O is accounted for, and nothing may have changed. */
  #refuseAll(errno: string): void {
    for (const [index, io] of this.#ios.entries()) {
      this.#data.prepare(io, index);
      this.tally.refused(index, errno, this.#data.verifyUntouched(io));
      this.input.onIo?.(index + 1);
    }
  }
}

function sceneOf(input: ExportedBarInput, importer: BarImporter, log: RuleLog): ExportedBarScene {
  const { peer, iommu, seed, plant, redirect, hostIdentity, ios, observe } = input;
  return new ExportedBarScene({
    peer,
    iommu,
    seed,
    log,
    // The exporter of these stages tells importers that its memory moves, and waits for nobody.
    vfio: { revoke: 'notify' },
    farBytes: ios.reduce((most, io) => Math.max(most, ioBytes(io)), 0),
    ...(importer.exporter === undefined ? {} : { exporter: importer.exporter }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(observe === undefined ? {} : { observe }),
    ...(hostIdentity === undefined ? {} : { hostIdentity }),
    ...(plant === 'forced-bus-address' ? { around: forcedBusAddress } : {}),
    ...(plant === 'phys-vec-leaks' ? { linuxQuirks: { physVecLeaks: true } } : {}),
  });
}
