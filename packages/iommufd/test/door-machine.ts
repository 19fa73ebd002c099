// A machine with a BAR that is lent as a dma-buf, devices behind a VT-d unit or the tests' mock IOMMU, and an iommufd with one or
// more doors.
// Simplified: one context; a device is an engine that does what the test says.

import { DmaBufPlatform } from '@sgfree/dma-buf';
import { Device, DmaPlatform } from '@sgfree/dma-core';
import {
  addOffset,
  BarMemory,
  Clock,
  DmaEngine,
  dmaAddr,
  EventLog,
  frameOf,
  type ModelTask,
  PciFabric,
  type PciFunction,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  recordedVtdCapabilities,
  Scheduler,
  type TransferStatus,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu, iommuDomainFree } from '@sgfree/iommu';
import { FrameAllocator, type Outcome, PageAllocator, ProcessMemory } from '@sgfree/mm';
import {
  type IommufdBoundDevice,
  type IommufdContext,
  type IommufdDoor,
  type IommufdInterconnect,
  type IommufdIoas,
  IommufdPlatform,
  IommufdProcess,
  IoptDomain,
  iommufdDeviceAttach,
  iommufdDeviceBind,
  iommufdFopsOpen,
  iommufdIoasAlloc,
  iommufdObjectFinalize,
  ioptGetPages,
  ioptMapFilePages,
  ioptMapPages,
  ioptTableAddDomain,
  ioptTableRemoveDomain,
  ioptUnmapIova,
  MockDevice,
  type U64,
  u64,
  VtdBoundDevice,
} from '../src/index.ts';
import { READ_WRITE } from './core-machine.ts';
import { type LenderManners, LendingExporter } from './lending-exporter.ts';

const MIB = 2 ** 20;
const TABLES = { base: physAddr(32 * MIB), bytes: 32 * MIB };
const BAR_BYTES = MIB;

/** How the machine is made. */
export interface DoorMachineOptions {
  readonly door: IommufdDoor | readonly IommufdDoor[];
  readonly interconnects?: readonly IommufdInterconnect[];
  readonly scheduler?: Scheduler;
}

/** The machine. */
export class DoorMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly scheduler: Scheduler;
  readonly log: EventLog = new EventLog();
  readonly bar: BarMemory = new BarMemory(BAR_BYTES);
  readonly barBase: PhysAddr;
  readonly platform: IommufdPlatform;
  readonly process: IommufdProcess;
  readonly ctx: IommufdContext;
  /** Every domain that was made. */
  readonly domains: IoptDomain[] = [];
  readonly tables: FrameAllocator;
  readonly iommu: IntelIommu;
  readonly #fabric: PciFabric;
  readonly #functions: readonly PciFunction[];

  constructor(options: DoorMachineOptions) {
    const { memory, log } = this;
    const clock = options.scheduler?.clock ?? new Clock();
    this.scheduler = options.scheduler ?? new Scheduler({ clock });
    log.enabled = true;
    memory.addRam(physAddr(0), 64 * MIB);
    this.tables = new FrameAllocator(memory, TABLES);
    this.#fabric = new PciFabric({ memory, clock, log });
    const host = this.#fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
    });
    const endpoint = (
      name: string,
      bars: { index: number; bytes: number; width: 32; target: BarMemory }[],
    ): PciFunction =>
      this.#fabric.addEndpoint(this.#fabric.addRootPort(host), {
        name,
        identity: { vendorId: 0x1234, deviceId: 1, classCode: 0x058000 },
        bars,
      });
    const owner = endpoint('lender', [{ index: 0, bytes: BAR_BYTES, width: 32, target: this.bar }]);
    this.#functions = [0, 1].map((at) => endpoint(`engine ${at}`, []));
    this.#fabric.enumerate();
    for (const fn of [owner, ...this.#functions]) fn.setCommand({ memory: true, busMaster: true });
    this.barBase = this.#fabric.barPhys(owner, 0);
    const unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities });
    this.#fabric.setTranslationAgent(unit);
    this.iommu = new IntelIommu({ unit, memory, frames: this.tables, log });
    const dmaBufs = new DmaBufPlatform({ scheduler: this.scheduler, log });
    const { door, interconnects = [] } = options;
    const device = new Device({ name: 'iommu', platform: new DmaPlatform({ memory, log }) });
    this.platform = new IommufdPlatform({ dmaBufs, device, door, interconnects });
    const pages = new PageAllocator(memory, { base: physAddr(MIB), bytes: MIB });
    this.process = new IommufdProcess(new ProcessMemory({ memory, pages, scheduler: this.scheduler }));
    this.ctx = iommufdFopsOpen({ platform: this.platform, process: this.process });
  }

  run<T>(task: ModelTask<T>): T {
    return this.scheduler.runTask('test', task);
  }

  ioas(): IommufdIoas {
    const made = iommufdIoasAlloc(this.ctx);
    if (!made.ok) throw new Error('no address space');
    iommufdObjectFinalize(this.ctx, made.value);
    return made.value;
  }

  /** A device behind the unit. */
  vtd(which = 0): VtdBoundDevice {
    const { requesterId } = this.#functions[which] as PciFunction;
    return this.#watched(new VtdBoundDevice({ name: `engine ${which}`, iommu: this.iommu, requesterId }));
  }

  /** A device of the tests, whose pages have 2 KiB. */
  mock(): MockDevice {
    return this.#watched(new MockDevice({ memory: this.memory, frames: this.tables, dirtyTracking: false }));
  }

  #watched<D extends IommufdBoundDevice>(device: D): D {
    const { domains } = this;
    const alloc = device.allocPagingDomain.bind(device);
    device.allocPagingDomain = function* (flags, data) {
      const domain = yield* alloc(flags, data);
      if (domain.ok) domains.push(domain.value);
      return domain;
    };
    return device;
  }

  /** Binds and attaches; the number of the table, or an errno. */
  *attach(ioas: IommufdIoas, device: IommufdBoundDevice): ModelTask<Outcome<number>> {
    const bound = iommufdDeviceBind(this.ctx, device);
    return bound.ok ? yield* iommufdDeviceAttach(bound.value, ioas.id) : bound;
  }

  /** Gives an address space one more domain that no device uses yet. */
  *addDomain({ iopt }: IommufdIoas): ModelTask<number> {
    const made = this.iommu.openPagingDomain(null, 'unmanaged');
    if (!made.ok) return -made.errno;
    const domain = new IoptDomain(made.value);
    this.domains.push(domain);
    return yield* ioptTableAddDomain(iopt, domain);
  }

  /** Takes the last domain that was added away. */
  *removeDomain({ iopt }: IommufdIoas): ModelTask<void> {
    const domain = this.domains.pop();
    if (domain === undefined) throw new Error('no domain');
    yield* ioptTableRemoveDomain(iopt, domain);
    iommuDomainFree(domain.domain);
  }

  /** Lends ranges of the BAR: offsets and lengths. */
  lend(
    ranges: readonly (readonly [number, number])[],
    offers?: readonly IommufdDoor[],
    manners?: LenderManners,
    size?: number,
  ): LendingExporter {
    const physVec = ranges.map(([offset, len]) => ({ paddr: addOffset(this.barBase, offset), len }));
    return new LendingExporter(this.platform, physVec, offers, manners, size);
  }

  mapFile(
    ioas: IommufdIoas,
    fd: number,
    start: number,
    length: number,
    iova: number | null = null,
  ): ModelTask<Outcome<U64>> {
    const request = { length: u64(length), prot: READ_WRITE, accountMode: 'user' } as const;
    const at = iova === null ? null : u64(iova);
    return ioptMapFilePages(this.process, ioas.iopt, fd, u64(start), { ...request, iova: at });
  }

  *copy(from: IommufdIoas, iova: number, length: number, to: IommufdIoas): ModelTask<Outcome<U64>> {
    const elements = yield* ioptGetPages(from.iopt, u64(iova), u64(length));
    if (!elements.ok) return elements;
    return yield* ioptMapPages(to.iopt, elements.value, u64(length), u64(iova), READ_WRITE);
  }

  unmap(ioas: IommufdIoas, iova: number, length: number): ModelTask<Outcome<U64>> {
    return ioptUnmapIova(ioas.iopt, u64(iova), u64(length));
  }

  /** A device writes by IOVA. */
  write(iova: number, bytes: Uint8Array, which = 0): TransferStatus {
    const engine = new DmaEngine(this.#fabric, this.#functions[which] as PciFunction);
    return this.run(engine.write(dmaAddr(iova), bytes));
  }

  /** Page of the BAR that a domain shows at an IOVA; -1: nothing. */
  barPage(domain: IoptDomain, iova: number): number {
    const frame = domain.frameAt(u64(iova));
    return frame < 0 ? -1 : frame - frameOf(this.barBase);
  }

  /** Entries of all tables; only the BAR is mapped here. */
  get leaves(): number {
    return this.domains.reduce((sum, { domain }) => sum + domain.table.liveLeafEntries, 0);
  }

  /** Rules of the violations so far. */
  rules(): unknown[] {
    return this.log.events.filter(({ kind }) => kind === 'violation').map((event) => event['rule']);
  }
}
