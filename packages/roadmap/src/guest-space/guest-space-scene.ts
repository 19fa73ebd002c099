// GuestSpaceScene: a guest whose address space holds RAM and a lent BAR, the device that is passed through to it, and the owner of
// the BAR. The guest's RAM stands where the BAR has its bus address: a request that is taken on the way is seen at once.
// Source followed: what a virtual machine monitor sets up with VFIO and iommufd: bind, attach, map.
// Simplified: the buffer is the first part of the BAR.

import {
  Clock,
  DmaEngine,
  EventLog,
  InternalError,
  type ModelTask,
  RdmaWire,
  rawOffset,
  Scheduler,
} from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import {
  type IommufdDevice,
  type IommufdHwptPaging,
  type IoptDomain,
  iommufdDeviceAttach,
  iommufdDeviceBind,
} from '@sgfree/iommufd/stage-7';
import { copyToUser } from '@sgfree/mm';
import { VFIO_DEVICE_IOCTL, vfioDeviceFopsUnlIoctl, vfioPciCoreEnable } from '@sgfree/vfio-dmabuf/stage-6';
import { had } from '../certain-value.ts';
import { leafCount, sampleDomainWork } from '../domain-work.ts';
import { type BarRange, featureRequest } from '../exported-bar/exported-bar-scene.ts';
import { LENT_BAR, NearComputer } from '../exported-bar/near-computer.ts';
import type { MachineObserver } from '../machine-observer.ts';
import { LentSlots } from '../revoke/lent-slots.ts';
import { WatchedMemory } from '../revoke/watched-memory.ts';
import type { WorkCounts } from '../work-counts.ts';
import { GuestCalls } from './guest-calls.ts';
import { GuestKernel } from './guest-kernel.ts';
import type { GuestSpaceDoor, GuestSpaceSettings } from './guest-space-input.ts';

const LEAST_BAR_BYTES = 2 ** 16;

/** @internal */
export class GuestSpaceScene {
  readonly clock: Clock = new Clock();
  readonly scheduler: Scheduler;
  readonly log: EventLog = new EventLog();
  readonly bar: WatchedMemory;
  readonly computer: NearComputer;
  readonly kernel: GuestKernel;
  readonly calls: GuestCalls;
  readonly engine: DmaEngine;
  /** What the guest's RAM and the lent buffer hold. */
  readonly ramSlots: LentSlots;
  readonly barSlots: LentSlots;
  /** Number of the guest's address space, and where its RAM is in the monitor's process and in the guest. */
  readonly ioas: number;
  readonly ramVa: number;
  readonly ramIova: number;
  readonly idev: IommufdDevice;
  /** The guest's page table. */
  readonly domain: IoptDomain;
  /** Counters before the first mapping. */
  readonly workBefore: WorkCounts;

  constructor(settings: GuestSpaceSettings, door: GuestSpaceDoor, observe?: MachineObserver) {
    const { seed, jobs, jobBytes, place, plant } = settings;
    const { clock, log } = this;
    log.enabled = true;
    this.scheduler = new Scheduler({ seed, clock });
    const { scheduler } = this;
    this.ramSlots = new LentSlots(1, jobs, jobBytes, seed);
    this.barSlots = new LentSlots(1, jobs, jobBytes, seed + 1);
    const barBytes = Math.max(LEAST_BAR_BYTES, 2 ** (1 + Math.ceil(Math.log2(this.barSlots.bytes))));
    this.bar = new WatchedMemory(barBytes, () => clock.step);
    const redirect = plant !== 'no-redirect';
    const wire = new RdmaWire();
    this.computer = new NearComputer({ peer: place, clock, log, scheduler, wire, bar: this.bar, redirect });
    observe?.(this.computer.fabric);
    this.kernel = new GuestKernel({ computer: this.computer, scheduler, log, door });
    this.calls = new GuestCalls(this.kernel.ctx, () => this.kernel.allocatedBytes);
    this.engine = new DmaEngine(this.computer.fabric, this.computer.nic.endpoint);
    this.ramVa = this.kernel.process.mm.mmap(this.ramSlots.bytes);
    this.ramIova = rawOffset(this.computer.fabric.barPhys(this.computer.disk, LENT_BAR), 0);
    this.#fill();
    if (this.run(vfioPciCoreEnable(this.kernel.vdev)) !== 0) throw new InternalError('no disk to be opened');
    this.workBefore = this.#sample([]);
    this.ioas = had('no address space', this.run(this.calls.allocIoas()));
    this.idev = had('no device is bound', iommufdDeviceBind(this.kernel.ctx, this.kernel.device));
    this.domain = this.#attach();
    had('no RAM', this.run(this.calls.mapRam(this.ioas, this.ramVa, this.ramSlots.bytes, this.ramIova)));
  }

  /** Runs everything until `task` ends. */
  run<T>(task: ModelTask<T>): T {
    return this.scheduler.runTask('run', task);
  }

  /** The owner exports parts of the BAR as one dma-buf; its descriptor. */
  exportBar(...ranges: readonly BarRange[]): number {
    const request = featureRequest(ranges);
    const fd = this.run(vfioDeviceFopsUnlIoctl(this.kernel.vdev, VFIO_DEVICE_IOCTL.feature, request));
    if (fd < 0) throw new InternalError(`the memory is not lent: ${fd}`);
    return fd;
  }

  /** The counters as they stand. */
  sampleWork(): WorkCounts {
    return this.#sample([this.domain.domain]);
  }

  /** Leaf entries of the guest's page table, read from simulated memory. */
  get liveTableEntries(): number {
    return leafCount(this.domain.domain);
  }

  #sample(domains: readonly PagingDomain[]): WorkCounts {
    return {
      ...sampleDomainWork(this.kernel.unit, domains),
      iovaAllocations: this.calls.mappings.placesChosen,
      structPagesTouched: this.kernel.process.mm.frames.touched,
    };
  }

  #attach(): IoptDomain {
    const { objects } = this.kernel.ctx;
    const hwpt = had('not attached', this.run(iommufdDeviceAttach(this.idev, this.ioas)));
    const { domain } = objects.at(hwpt) as IommufdHwptPaging;
    if (domain === null) throw new InternalError('a page table without a domain');
    return domain;
  }

  /** The guest's bytes into its RAM, the owner's into its memory. */
  #fill(): void {
    const { ramSlots, barSlots, bar, kernel } = this;
    for (let slot = 0; slot < ramSlots.count; slot += 1) {
      const at = this.ramVa + ramSlots.offset(slot);
      if (this.run(copyToUser(kernel.process.mm, at, ramSlots.held(slot))) !== 0)
        throw new InternalError('the guest cannot write its RAM');
      bar.poke(barSlots.offset(slot), barSlots.held(slot));
    }
  }
}
