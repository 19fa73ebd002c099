// A machine whose device does not snoop the CPU's cache: memory, real lines before it, a fabric, a VT-d unit with its
// driver, and one DMA engine. Bytes move from the CPU's store to the device's register and back, by every way to map.
// Page tables are written back too, since the unit's walks do not snoop.
// Simplified: for tests only.

import {
  CpuCacheMaintenance,
  type CpuCachePolicy,
  type Device,
  DmaPlatform,
  dmaBitMask,
  dmaSetMask,
  iommuSetupDmaOps,
  pciDevice,
  SwiotlbPool,
} from '@sgfree/dma-core';
import {
  Clock,
  CpuCache,
  type CpuCacheOptions,
  CpuFrames,
  type DmaAddr,
  DmaEngine,
  EventLog,
  PciFabric,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  recordedVtdCapabilities,
  Scheduler,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu, type PagingDomain } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';

const MIB = 2 ** 20;
const SLOTS = 512;

export interface NonCoherentOptions {
  readonly policy?: CpuCachePolicy;
  readonly cache?: Omit<CpuCacheOptions, 'memory'>;
  /** Everything that is not whole pages bounces. */
  readonly untrusted?: boolean;
  readonly coherent?: boolean;
}

export class NonCoherentMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly scheduler: Scheduler = new Scheduler();
  readonly cache: CpuCache;
  readonly dev: Device;
  readonly domain: PagingDomain;
  readonly unit: VtdUnit;
  readonly #engine: DmaEngine;

  constructor(options: NonCoherentOptions = {}) {
    const { memory } = this;
    const log = new EventLog();
    const clock = new Clock();
    memory.addRam(physAddr(0), 256 * MIB);
    this.cache = new CpuCache({ memory, ...options.cache });
    const fabric = new PciFabric({ memory, clock, log });
    const host = fabric.addHostBridge({ memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB } });
    const endpoint = fabric.addEndpoint(fabric.addRootPort(host), {
      name: '0000:01:00.0',
      identity: { vendorId: 0x1af4, deviceId: 1, classCode: 0x020000 },
    });
    fabric.enumerate();
    endpoint.setCommand({ memory: true, busMaster: true });
    this.unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities, log });
    fabric.setTranslationAgent(this.unit);
    this.#engine = new DmaEngine(fabric, endpoint);
    const frames = new FrameAllocator(memory, { base: physAddr(128 * MIB), bytes: 64 * MIB });
    const tableMemory = new CpuFrames(memory);
    const iommu = new IntelIommu({ unit: this.unit, memory, frames, log, tableMemory });
    const platform = new DmaPlatform({
      ...{ memory, log, clock },
      pages: new PageAllocator(memory, { base: physAddr(32 * MIB), bytes: 64 * MIB }),
      cache: new CpuCacheMaintenance(this.cache, options.policy),
      swiotlb: { active: true, pool: new SwiotlbPool({ start: physAddr(16 * MIB), slots: SLOTS }) },
    });
    this.dev = pciDevice({
      ...{ name: endpoint.name, platform, requesterId: endpoint.requesterId },
      ...{ dmaCoherent: options.coherent === true, untrusted: options.untrusted === true },
      reservedRegions: iommu.reservedRegions(endpoint.requesterId),
    });
    this.domain = iommu.allocPagingDomain(7);
    iommu.attachDevice(this.domain, endpoint.requesterId);
    iommuSetupDmaOps(this.dev, this.domain);
    dmaSetMask(this.dev, dmaBitMask(64));
  }

  /** A store of the CPU. */
  store(phys: PhysAddr, bytes: Uint8Array): void {
    if (!this.cache.write(phys, bytes)) throw new Error('no memory there');
  }

  /** A load of the CPU. */
  load(phys: PhysAddr, count: number): Uint8Array {
    const into = new Uint8Array(count);
    if (!this.cache.read(phys, into)) throw new Error('no memory there');
    return into;
  }

  /** What memory holds. */
  inMemory(phys: PhysAddr, count: number): Uint8Array {
    const into = new Uint8Array(count);
    this.memory.read(phys, into);
    return into;
  }

  /** What the device reads. */
  deviceReads(address: DmaAddr, count: number): Uint8Array {
    const into = new Uint8Array(count);
    this.#finished(this.scheduler.runTask('device reads', this.#engine.read(address, into)));
    return into;
  }

  deviceWrites(address: DmaAddr, bytes: Uint8Array): void {
    this.#finished(this.scheduler.runTask('device writes', this.#engine.write(address, bytes)));
  }

  #finished(status: string): void {
    if (status !== 'success') throw new Error(`the transfer ended with ${status}`);
  }
}
