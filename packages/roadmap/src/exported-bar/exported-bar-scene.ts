// ExportedBarScene: everything around one BAR that a VFIO user lends to an RDMA adapter: two computers on one wire, on one
// clock and one scheduler.
// Source followed: the project's design, stages 3 to 6: export by ioctl, import by an adapter's driver, transfers by a peer.
// What a stage does with it is the stage's business: which importer, which registration, who takes what back and when.
// Simplified: one exporter, one importer, one peer.

import type { LinuxQuirks } from '@sgfree/dma-buf';
import {
  type BarMemory,
  Clock,
  EventLog,
  InternalError,
  type ModelTask,
  RdmaWire,
  Scheduler,
} from '@sgfree/hw-model';
import { type DmabufImport, type DmabufRequest, PageFaultService } from '@sgfree/rdma/stage-4';
import {
  VFIO_DEVICE_IOCTL,
  VFIO_FEATURE,
  VFIO_FEATURE_FLAG,
  type VfioMapping,
  type VfioPciDevice,
  type VfioPciDeviceOptions,
  vfioDeviceFopsUnlIoctl,
  vfioPciCoreEnable,
} from '@sgfree/vfio-dmabuf';
import { type VfioSgTable, vfioSgtMapping } from '@sgfree/vfio-dmabuf/stage-6';
import type { MachineObserver } from '../machine-observer.ts';
import type { PeerPlace } from '../peer-tree-site.ts';
import { FarComputer } from './far-computer.ts';
import type { LentBarMapping } from './lent-bar-mapping.ts';
import { LENT_BAR, NearComputer } from './near-computer.ts';
import { NearKernel } from './near-kernel.ts';
import { connectEnds, PEER_RIGHTS, RdmaEnd } from './rdma-end.ts';
import { TableCensus } from './table-census.ts';

/** Close-on-exec, read and write. */
const OPEN_FLAGS = 0x80002;
const FEATURE_BYTES = 24;
const RANGE_BYTES = 16;
const FAR_BYTES: number = 16 * 2 ** 20;

/**
 * How a scene is set.
 * @internal
 */
export interface ExportedBarSpec {
  /** Where the disk is, seen from the adapter. */
  readonly peer: PeerPlace;
  /** True: a unit in strict mode translates; false: nothing does. */
  readonly iommu: boolean;
  /** Seed of the order of events; ignored with a scheduler. */
  readonly seed?: number;
  /** Runs everything; must have a clock. Default: one of the seed. */
  readonly scheduler?: Scheduler;
  readonly log?: EventLog;
  /** What is behind the BAR, of whole pages. */
  readonly bar?: BarMemory;
  /** Bytes of the far computer's buffer; default 16 MiB. */
  readonly farBytes?: number;
  readonly redirect?: boolean;
  readonly hostIdentity?: { readonly vendorId: number; readonly deviceId: number };
  /** Behaviours of Linux to keep in the exporter's tables. */
  readonly linuxQuirks?: LinuxQuirks;
  /** Put around the exporter's mapping, between it and the importer. */
  readonly around?: (mapping: VfioMapping<VfioSgTable>) => VfioMapping<VfioSgTable>;
  /** How the BAR is exported, given who counts its tables; default as tables, with `linuxQuirks` and `around`. */
  readonly exporter?: (tables: TableCensus) => VfioMapping<unknown>;
  /** Further options of the disk in VFIO's hands, `revoke` among them. */
  readonly vfio?: Partial<Omit<VfioPciDeviceOptions, 'platform' | 'pdev' | 'mapping'>>;
  readonly allocate?: (bytes: number) => boolean;
  readonly observe?: MachineObserver;
}

/** A range of the BAR. @internal */
export interface BarRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The scene: both computers up, connected, the disk opened by its user once.
 * @internal
 */
export class ExportedBarScene {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  readonly wire: RdmaWire = new RdmaWire();
  readonly computer: NearComputer;
  readonly kernel: NearKernel;
  /** The adapter beside the disk. */
  readonly near: RdmaEnd;
  /** Serves the near adapter's page faults. */
  readonly faults: PageFaultService;
  readonly far: FarComputer;
  /** Tables that the exporter handed out. */
  readonly tables: TableCensus;

  constructor(spec: ExportedBarSpec) {
    const clock = spec.scheduler === undefined ? new Clock() : spec.scheduler.clock;
    if (clock === undefined) throw new InternalError('adapters need a scheduler with a clock');
    this.clock = clock;
    this.scheduler = spec.scheduler ?? new Scheduler({ seed: spec.seed ?? 1, clock });
    this.log = spec.log ?? new EventLog();
    const { scheduler, log, wire } = this;
    const common = { clock, scheduler, log, wire };
    this.computer = new NearComputer({ ...spec, ...common });
    spec.observe?.(this.computer.fabric);
    this.tables = new TableCensus();
    const made = vfioSgtMapping({
      sgArrays: this.tables,
      ...(spec.linuxQuirks === undefined ? {} : { linuxQuirks: spec.linuxQuirks }),
    });
    const mapping = spec.exporter?.(this.tables) ?? this.tables.counted(spec.around?.(made) ?? made);
    this.kernel = new NearKernel({ ...spec, computer: this.computer, scheduler, log, mapping });
    this.near = new RdmaEnd(this.computer.nic, this.kernel.adapter, log);
    this.faults = new PageFaultService(this.near.device, scheduler);
    this.far = new FarComputer({ ...common, bytes: spec.farBytes ?? FAR_BYTES });
    this.connect();
    const error = this.run(vfioPciCoreEnable(this.vdev));
    if (error !== 0) throw new InternalError(`the disk cannot be opened: ${error}`);
  }

  get vdev(): VfioPciDevice {
    return this.kernel.vdev;
  }

  /** Bytes of the BAR that is lent. */
  get barBytes(): number {
    return this.computer.bar.bytes;
  }

  /** Connects both queue pairs, again if need be. */
  connect(): void {
    connectEnds(this.near, this.far.end);
  }

  /** Runs everything until `task` ends. */
  run<T>(task: ModelTask<T>): T {
    return this.scheduler.runTask('run', task);
  }

  /** The user exports parts of the BAR as one dma-buf: a descriptor, or a negative errno. */
  *exportBar(...ranges: readonly BarRange[]): ModelTask<number> {
    const request = featureRequest(ranges);
    return yield* vfioDeviceFopsUnlIoctl(this.vdev, VFIO_DEVICE_IOCTL.feature, request);
  }

  /** What the adapter's driver is asked to register: bytes of the buffer behind `fd`, imported by way of `via`. */
  request(
    fd: number,
    { offset, length }: BarRange,
    via: DmabufImport<LentBarMapping>,
  ): DmabufRequest<LentBarMapping> {
    return { platform: this.kernel.dmaBufs, fd, offset, size: length, access: PEER_RIGHTS, via };
  }

  /** The user closes a descriptor; 0 or -EBADF. */
  *closeDescriptor(fd: number): ModelTask<number> {
    return yield* this.kernel.dmaBufs.files.close(fd);
  }
}

/** The user's bytes of VFIO_DEVICE_FEATURE_DMA_BUF. @internal */
export function featureRequest(ranges: readonly BarRange[]): Uint8Array {
  const bytes = new Uint8Array(FEATURE_BYTES + ranges.length * RANGE_BYTES);
  const view = new DataView(bytes.buffer);
  const flags = VFIO_FEATURE_FLAG.get + VFIO_FEATURE.dmaBuf;
  for (const [i, word] of [FEATURE_BYTES, flags, LENT_BAR, OPEN_FLAGS, 0, ranges.length].entries()) {
    view.setUint32(i * 4, word, true);
  }
  for (const [i, { offset, length }] of ranges.entries()) {
    view.setBigUint64(FEATURE_BYTES + i * RANGE_BYTES, BigInt(offset), true);
    view.setBigUint64(FEATURE_BYTES + i * RANGE_BYTES + 8, BigInt(length), true);
  }
  return bytes;
}
