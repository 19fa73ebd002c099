// A machine with a provider and a client below one switch and a client on another root port, with or without an IOMMU,
// for tables and lists of peer memory that real requests then use.
// Simplified: the IOMMU has no caches; it answers from the page table in memory.

import { type Device, DmaPlatform, iommuGetDmaCookie, iommuSetupDmaOps, pciDevice } from '@sgfree/dma-core';
import {
  BarMemory,
  Clock,
  type CompletionStatus,
  type DmaAddr,
  EventLog,
  PciFabric,
  type PciFunction,
  PhysicalMemory,
  type PhysRange,
  type PlugPoint,
  physAddr,
} from '@sgfree/hw-model';
import {
  type IovaDomain,
  iommuIovaToPhys,
  PageTable,
  PagingDomain,
  VtdSecondStageFormat,
} from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import {
  type P2pdmaProvider,
  P2pPlatform,
  PageRoutes,
  type PciDev,
  pcimP2pdmaInit,
  pcimP2pdmaProvider,
} from '@sgfree/p2p';

const MIB = 2 ** 20;
/** Bytes of the provider's BAR. */
export const BAR_BYTES: number = 8 * MIB;
const ram: PhysRange = { base: physAddr(0), bytes: 64 * MIB };

/** How the machine is made. */
export interface PeerMachineOptions {
  readonly iommu: boolean;
  /** The host bridge is on the kernel's list; default true. */
  readonly listed?: boolean;
}

/** The provider sits beside client `near`; `far` is below another root port. */
export class PeerMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly log: EventLog = new EventLog();
  readonly fabric: PciFabric;
  readonly p2p: P2pPlatform;
  readonly pdev: PciDev;
  readonly provider: P2pdmaProvider;
  readonly bar: BarMemory = new BarMemory(BAR_BYTES);
  readonly near: Device;
  readonly far: Device;
  readonly domain: PagingDomain | null;
  readonly frames: FrameAllocator;
  readonly #functions = new Map<Device, PciFunction>();

  constructor({ iommu, listed = true }: PeerMachineOptions) {
    this.memory.addRam(ram.base, ram.bytes);
    this.log.enabled = true;
    this.frames = new FrameAllocator(this.memory, ram);
    this.fabric = new PciFabric({ memory: this.memory, clock: new Clock(), log: this.log });
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
      identity: { vendorId: 0x8086, deviceId: listed ? 0x2030 : 0x29c0 },
    });
    const [left, right] = [this.fabric.addRootPort(host), this.fabric.addRootPort(host)];
    const [first, second] = this.fabric.addSwitch(left, { downstreamPorts: 2 }).downstream;
    const providerFn = this.#endpoint(first as PlugPoint, 'provider', this.bar);
    const clients = [this.#endpoint(second as PlugPoint, 'near', null), this.#endpoint(right, 'far', null)];
    this.fabric.enumerate();
    for (const fn of [providerFn, ...clients]) fn.setCommand({ memory: true, busMaster: true });
    const platform = new DmaPlatform({ memory: this.memory, log: this.log });
    this.p2p = new P2pPlatform({ hosts: this.fabric.hosts, frames: platform.frames, log: this.log });
    platform.p2p = new PageRoutes(this.p2p);
    this.domain = iommu ? this.#translated() : null;
    [this.near, this.far] = clients.map((fn) => this.#client(fn, platform)) as [Device, Device];
    this.pdev = this.p2p.devOf(providerFn);
    pcimP2pdmaInit(this.pdev);
    this.provider = pcimP2pdmaProvider(this.pdev, 0) as P2pdmaProvider;
  }

  /** The allocator behind the domain. */
  get iovad(): IovaDomain {
    return iommuGetDmaCookie(this.domain as PagingDomain).iovad;
  }

  /** What still lies in page table and allocator: leaves and ranges. */
  get leftovers(): [number, number] {
    return this.domain === null ? [0, 0] : [this.domain.table.liveLeafEntries, this.iovad.liveRanges];
  }

  /** One byte written by a device. */
  write(dev: Device, address: DmaAddr, value: number): CompletionStatus {
    return this.fabric.write(this.#functions.get(dev) as PciFunction, address, Uint8Array.of(value));
  }

  #endpoint(under: PlugPoint, name: string, target: BarMemory | null): PciFunction {
    return this.fabric.addEndpoint(under, {
      name,
      identity: { vendorId: 0x1234, deviceId: 0x0001, classCode: 0x058000 },
      bars: target === null ? [] : [{ index: 0, bytes: target.bytes, width: 32, target }],
    });
  }

  #translated(): PagingDomain {
    const format = new VtdSecondStageFormat({ flushRange: true });
    const { memory, frames } = this;
    const table = new PageTable({ format, memory, frames, vaBits: 48 });
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
    this.#functions.set(dev, fn);
    return dev;
  }
}
