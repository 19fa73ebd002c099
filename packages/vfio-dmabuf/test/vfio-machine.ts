// A machine with two VFIO devices below one switch, an importer beside them and one below another root port, with or
// without an IOMMU, and BARs that remember at which clock step each byte was written.
// Simplified: the IOMMU has no caches; it answers from the page table in memory.

import { DmaBufPlatform, type LinuxQuirks } from '@sgfree/dma-buf';
import { type Device, DmaPlatform, iommuGetDmaCookie, iommuSetupDmaOps, pciDevice } from '@sgfree/dma-core';
import { SgHeap } from '@sgfree/dma-sg';
import {
  BarMemory,
  Clock,
  DmaEngine,
  EventLog,
  type ModelTask,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PhysRange,
  type PlugPoint,
  physAddr,
  Scheduler,
} from '@sgfree/hw-model';
import { iommuIovaToPhys, PageTable, PagingDomain, VtdSecondStageFormat } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { P2pPlatform, PageRoutes, pcimP2pdmaInit } from '@sgfree/p2p';
import {
  VFIO_FEATURE,
  VFIO_FEATURE_FLAG,
  VfioPciDevice,
  type VfioPciDeviceOptions,
  vfioDeviceFopsUnlIoctl,
  vfioPciCoreEnable,
} from '../src/index.ts';
import { vfioSgtMapping } from '../src/stage-3.ts';

const MIB = 2 ** 20;
/** Bytes of BAR 0 of each VFIO device; BAR 2 has 1 MiB. */
export const BAR_BYTES: number = 8 * MIB;
const ram: PhysRange = { base: physAddr(0), bytes: 64 * MIB };
const AF_AT = 0xa0;

/** Memory that remembers when a device wrote to it. */
export class WatchedBar extends BarMemory {
  /** Clock step of each write. */
  readonly writes: number[] = [];
  now: () => number = () => -1;

  override mmioWrite(offset: number, from: Uint8Array): boolean {
    this.writes.push(this.now());
    return super.mmioWrite(offset, from);
  }
}

/** How the machine is made. */
export interface VfioMachineOptions extends Partial<VfioPciDeviceOptions> {
  readonly iommu?: boolean;
  /** The host bridge is on the kernel's list; default true. */
  readonly listed?: boolean;
  readonly scheduler?: Scheduler;
  readonly linuxQuirks?: LinuxQuirks;
  readonly fdLimit?: number;
  /** BARs of both exporters instead of the usual ones. */
  readonly bars?: readonly { readonly index: number; readonly bytes: number }[];
  /** Default true: the first device is opened. */
  readonly open?: boolean;
}

/** Two exporters, two importers. */
export class VfioMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: EventLog = new EventLog();
  readonly fabric: PciFabric;
  readonly p2p: P2pPlatform;
  readonly platform: DmaBufPlatform;
  readonly sgArrays: SgHeap = new SgHeap();
  readonly bar: WatchedBar = new WatchedBar(BAR_BYTES);
  readonly vdev: VfioPciDevice;
  readonly other: VfioPciDevice;
  readonly near: Device;
  readonly far: Device;
  readonly engines: { readonly near: DmaEngine; readonly far: DmaEngine };
  readonly domain: PagingDomain | null;
  /** Where the tables of the IOMMU come from. */
  readonly tableFrames: FrameAllocator;

  constructor(options: VfioMachineOptions = {}) {
    const { iommu = false, listed = true, linuxQuirks, fdLimit, open = true } = options;
    this.clock = options.scheduler?.clock ?? new Clock();
    this.scheduler = options.scheduler ?? new Scheduler({ clock: this.clock });
    this.memory.addRam(ram.base, ram.bytes);
    this.tableFrames = new FrameAllocator(this.memory, ram);
    this.log.enabled = true;
    this.fabric = new PciFabric({ memory: this.memory, clock: this.clock, log: this.log });
    this.bar.now = () => this.clock.step;
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      identity: { vendorId: 0x8086, deviceId: listed ? 0x2030 : 0x29c0 },
    });
    const [left, right] = [this.fabric.addRootPort(host), this.fabric.addRootPort(host)];
    const ports = this.fabric.addSwitch(left, { downstreamPorts: 3 }).downstream;
    const first = this.#exporter(ports[0] as PlugPoint, 'first', this.bar, options.bars);
    const second = this.#exporter(ports[1] as PlugPoint, 'second', new WatchedBar(BAR_BYTES), options.bars);
    const clients = [this.#endpoint(ports[2] as PlugPoint, 'near'), this.#endpoint(right, 'far')];
    this.fabric.enumerate();
    for (const fn of [first, second, ...clients]) fn.setCommand({ memory: true, busMaster: true });
    const dma = new DmaPlatform({ memory: this.memory, log: this.log });
    this.p2p = new P2pPlatform({ hosts: this.fabric.hosts, frames: dma.frames, log: this.log });
    dma.p2p = new PageRoutes(this.p2p);
    this.domain = iommu ? this.#translated() : null;
    [this.near, this.far] = clients.map((fn) => this.#client(fn, dma)) as [Device, Device];
    const [near, far] = clients.map((fn) => new DmaEngine(this.fabric, fn)) as [DmaEngine, DmaEngine];
    this.engines = { near, far };
    const { scheduler, log } = this;
    this.platform = new DmaBufPlatform({ scheduler, log, ...(fdLimit === undefined ? {} : { fdLimit }) });
    const mapping = vfioSgtMapping({
      sgArrays: this.sgArrays,
      ...(linuxQuirks === undefined ? {} : { linuxQuirks }),
    });
    const give = (fn: PciFunction): VfioPciDevice => {
      const pdev = this.p2p.devOf(fn);
      pcimP2pdmaInit(pdev);
      return new VfioPciDevice({ platform: this.platform, pdev, mapping, ...options });
    };
    this.vdev = give(first);
    this.other = give(second);
    if (open) this.run(vfioPciCoreEnable(this.vdev));
  }

  run<T>(task: ModelTask<T>): T {
    return this.scheduler.runTask('test', task);
  }

  /** VFIO_DEVICE_FEATURE on bytes. */
  ioctl(arg: Uint8Array, vdev: VfioPciDevice = this.vdev): number {
    return this.run(vfioDeviceFopsUnlIoctl(vdev, 0x3b75, arg));
  }

  /** Rules of the violations so far. */
  rules(): unknown[] {
    return this.log.events.filter(({ kind }) => kind === 'violation').map((event) => event['rule']);
  }

  /** What is left: descriptors, buffers, registrations of both devices, table arrays, page table leaves, IOVA ranges. */
  get leftovers(): number[] {
    const { files, buffers } = this.platform;
    const iova = this.domain === null ? 0 : iommuGetDmaCookie(this.domain).iovad.liveRanges;
    const registrations = [this.vdev, this.other].map((vdev) => vdev.registration.refs - 1 - vdev.openCount);
    const leaves = this.domain?.table.liveLeafEntries ?? 0;
    return [files.count, buffers.size, ...registrations, this.sgArrays.liveArrays, leaves, iova];
  }

  #exporter(
    under: PlugPoint,
    name: string,
    bar: BarMemory,
    others: VfioMachineOptions['bars'] = [],
  ): PciFunction {
    const usual = [
      { index: 0, bytes: bar.bytes, width: 32 as const, target: bar },
      { index: 2, bytes: MIB, width: 32 as const, target: new BarMemory(MIB) },
    ];
    const bars = others.map(({ index, bytes }) => ({
      ...{ index, bytes, width: 32 as const },
      target: new BarMemory(bytes),
    }));
    return this.#resettable(this.#endpoint(under, name, bars.length > 0 ? bars : usual));
  }

  /** Gives a function both capabilities that can reset it. */
  #resettable(fn: PciFunction): PciFunction {
    fn.config.preset(0x54, 4, fn.config.read(0x54, 4) + 0x10000000);
    fn.config.preset(0x51, 1, AF_AT);
    for (const [i, byte] of [0x13, 0, 6, 3, 0, 0].entries()) fn.config.preset(AF_AT + i, 1, byte);
    return fn;
  }

  #endpoint(
    under: PlugPoint,
    name: string,
    bars: Parameters<PciFabric['addEndpoint']>[1]['bars'] & object = [],
  ): PciFunction {
    const identity = { vendorId: 0x1234, deviceId: 0x0001, classCode: 0x058000 };
    return this.fabric.addEndpoint(under, { name, identity, bars });
  }

  #translated(): PagingDomain {
    const format = new VtdSecondStageFormat({ flushRange: true });
    const table = new PageTable({ format, memory: this.memory, frames: this.tableFrames, vaBits: 48 });
    const ops = { iotlbSync(): void {}, flushIotlbAll(): void {}, iotlbSyncMap: null };
    const domain = new PagingDomain({ table, ops, type: 'dma', log: this.log });
    this.fabric.setTranslationAgent({
      translate: (_id, address) => {
        const phys = iommuIovaToPhys(domain, address);
        return phys === 0 ? -1 : phys;
      },
    });
    return domain;
  }

  #client(fn: PciFunction, platform: DmaPlatform): Device {
    const dev = pciDevice({ name: fn.name, platform, requesterId: fn.requesterId });
    iommuSetupDmaOps(dev, this.domain);
    return dev;
  }
}

/** Fields of a feature request; everything has a default that succeeds. */
export interface FeatureFields {
  readonly argsz?: number;
  readonly flags?: number;
  readonly region?: number;
  readonly openFlags?: number;
  readonly zero?: number;
  readonly nrRanges?: number;
  readonly ranges?: readonly (readonly [bigint, bigint])[];
  /** Bytes of the user's memory that are readable; default all. */
  readonly readable?: number;
}

/** The bytes of a request for dma-buf export. */
export function featureBytes(fields: FeatureFields = {}): Uint8Array {
  const ranges = fields.ranges ?? [[0n, 0x1000n]];
  const bytes = new Uint8Array(24 + ranges.length * 16);
  const view = new DataView(bytes.buffer);
  const words = [
    fields.argsz ?? 24,
    fields.flags ?? VFIO_FEATURE_FLAG.get + VFIO_FEATURE.dmaBuf,
    fields.region ?? 0,
    fields.openFlags ?? 0x80002,
    fields.zero ?? 0,
    fields.nrRanges ?? ranges.length,
  ];
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
  for (const [i, [offset, length]] of ranges.entries()) {
    view.setBigUint64(24 + i * 16, offset, true);
    view.setBigUint64(32 + i * 16, length, true);
  }
  return bytes.subarray(0, fields.readable ?? bytes.length);
}
