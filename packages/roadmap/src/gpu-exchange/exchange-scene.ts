// ExchangeScene: everything around the card's objects: two computers on one wire, the card's peers, and who watches them.
// Source followed: the project's design, stage 8.
// Simplified: one clock and one scheduler for both computers.

import type { GpuBo } from '@sgfree/gpu-driver';
import { Clock, type EventLog, InternalError, type ModelTask, RdmaWire, Scheduler } from '@sgfree/hw-model';
import { PageFaultService } from '@sgfree/rdma';
import { FarComputer } from '../exported-bar/far-computer.ts';
import { RdmaEnd } from '../exported-bar/rdma-end.ts';
import type { MachineObserver } from '../machine-observer.ts';
import { BusTap } from './bus-tap.ts';
import { ExchangeComputer } from './exchange-computer.ts';
import { ExchangeData, objectBytesOf } from './exchange-data.ts';
import { ExchangeDisk } from './exchange-disk.ts';
import { ExchangeKernel } from './exchange-kernel.ts';
import type { ExchangeWay } from './exchange-way.ts';
import type { GpuExchangeSettings } from './gpu-exchange-input.ts';
import { MappingCensus } from './mapping-census.ts';
import { PlaceBook } from './place-book.ts';

const VRAM_BYTES: number = 2 ** 20;

/** @internal */
export class ExchangeScene<Mapping extends object> {
  readonly settings: GpuExchangeSettings;
  readonly clock: Clock = new Clock();
  readonly scheduler: Scheduler;
  readonly log: EventLog;
  readonly data: ExchangeData;
  readonly computer: ExchangeComputer;
  readonly kernel: ExchangeKernel;
  readonly disk: ExchangeDisk;
  readonly near: RdmaEnd;
  readonly faults: PageFaultService;
  readonly far: FarComputer;
  readonly way: ExchangeWay<Mapping>;
  readonly census: MappingCensus<Mapping>;
  readonly book: PlaceBook;

  /** @param log - of both machines, enabled */
  constructor(
    settings: GpuExchangeSettings,
    way: ExchangeWay<Mapping>,
    log: EventLog,
    observe?: MachineObserver,
  ) {
    const { seed, objects, objectBytes, rounds, iommu } = settings;
    this.settings = settings;
    this.way = way;
    this.log = log;
    this.scheduler = new Scheduler({ seed, clock: this.clock });
    this.data = new ExchangeData(seed, objects, rounds);
    const { clock, scheduler } = this;
    const common = { clock, scheduler, log, wire: new RdmaWire() };
    const { medium } = this.data;
    this.computer = new ExchangeComputer({ ...settings, ...common, vramBytes: VRAM_BYTES, medium });
    const { computer } = this;
    observe?.(computer.fabric);
    this.kernel = new ExchangeKernel({ computer, scheduler, log, iommu });
    this.disk = new ExchangeDisk(computer, this.kernel, scheduler);
    this.near = new RdmaEnd(computer.nic, this.kernel.nic, log);
    this.faults = new PageFaultService(this.near.device, scheduler);
    this.far = new FarComputer({ ...common, bytes: objects * objectBytesOf(objectBytes, objects) });
    this.book = new PlaceBook(clock, computer.gpu.endpoint);
    this.census = new MappingCensus(way, (bo: GpuBo) => this.book.told(bo));
    new BusTap(computer, this.kernel.cardRam, (access) => this.book.heard(access));
    scheduler.onStep = () => this.book.look();
  }

  /** Runs a task to its end, and everything that it has started. */
  run<T>(task: ModelTask<T>): T {
    const result = this.scheduler.runTask('run', task);
    this.scheduler.run();
    this.book.look();
    return result;
  }

  /** Runs everything; the tasks that wait for ever. */
  runAll(): readonly { readonly task: string; readonly at: string }[] {
    const { blocked } = this.scheduler.run();
    this.book.look();
    return blocked;
  }

  /** Brings the disk up. */
  bringUp(): void {
    const error = this.run(this.disk.driver.probe());
    if (error !== 0) throw new InternalError(`the disk does not come up: ${error}`);
  }
}
