// A machine with an AMD-Vi unit: memory, a fabric with two devices, the unit before the root complex, and its driver.
// Everything is real from the device's bus request to the byte in memory; nothing is logged until a test asks.

import {
  type AmdFeatureRegisters,
  AmdIommuUnit,
  bareMetalAmdFeatures,
  Clock,
  type DmaAddr,
  DmaEngine,
  EventLog,
  PciFabric,
  type PhysAddr,
  PhysicalMemory,
  physAddr,
  Scheduler,
  type TransferStatus,
} from '@sgfree/hw-model';
import { AmdIommu, type PagingDomain, type PagingDomainType } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator } from '@sgfree/mm';
import {
  type Device,
  type DeviceOptions,
  DmaPlatform,
  dmaBitMask,
  dmaSetMask,
  type HostBridge,
  iommuSetupDmaOps,
  pciDevice,
} from '../src/index.ts';

const MIB = 2 ** 20;

export interface AmdDevice {
  readonly dev: Device;
  readonly engine: DmaEngine;
  readonly requesterId: number;
}

export interface AmdMachineOptions {
  readonly features?: AmdFeatureRegisters;
  readonly type?: PagingDomainType;
  readonly hostBridge?: HostBridge;
}

/** Two devices in one domain. */
export class AmdMachine {
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock = new Clock();
  readonly log: EventLog = new EventLog();
  readonly scheduler: Scheduler = new Scheduler();
  readonly fabric: PciFabric;
  readonly frames: FrameAllocator;
  readonly unit: AmdIommuUnit;
  readonly iommu: AmdIommu;
  readonly domain: PagingDomain;
  /** A device that cannot address more than 32 bits, and one that can. */
  readonly narrow: AmdDevice;
  readonly wide: AmdDevice;
  readonly #platform: DmaPlatform;
  readonly #hostBridge: HostBridge | null;

  constructor(options: AmdMachineOptions = {}) {
    const { memory, log, clock } = this;
    memory.addRam(physAddr(0), 256 * MIB);
    this.#hostBridge = options.hostBridge ?? null;
    this.frames = new FrameAllocator(memory, { base: physAddr(128 * MIB), bytes: 64 * MIB });
    const pages = new PageAllocator(memory, { base: physAddr(32 * MIB), bytes: 64 * MIB });
    this.#platform = new DmaPlatform({ memory, pages, log, clock });
    this.fabric = new PciFabric({ memory, clock, log });
    this.unit = new AmdIommuUnit(memory, { features: options.features ?? bareMetalAmdFeatures, log });
    // Firmware that reports no features: tables of 48 bits, as on the recorded machine.
    const driver = { unit: this.unit, memory, frames: this.frames, log, firmwareFeatures: [0, 0] as const };
    this.iommu = new AmdIommu({ ...driver, lastDeviceId: 0x3ff });
    this.domain = this.iommu.allocPagingDomain(options.type);
    const host = this.fabric.addHostBridge({
      memoryAperture: { base: physAddr(0xc0000000), bytes: 256 * MIB },
    });
    const endpoints = ['narrow', 'wide'].map((name, deviceId) =>
      this.fabric.addEndpoint(this.fabric.addRootPort(host), {
        name,
        identity: { vendorId: 0x1022, deviceId, classCode: 0x010802 },
      }),
    );
    this.fabric.enumerate();
    this.fabric.setTranslationAgent(this.unit);
    const [narrow, wide] = endpoints.map((endpoint, at) => {
      endpoint.setCommand({ memory: true, busMaster: true });
      const { requesterId } = endpoint;
      const dev = this.#device(requesterId, at === 0 ? 32 : 64);
      return { dev, requesterId, engine: new DmaEngine(this.fabric, endpoint) };
    }) as [AmdDevice, AmdDevice];
    this.narrow = narrow;
    this.wide = wide;
  }

  write(device: AmdDevice, address: DmaAddr, data: Uint8Array): TransferStatus {
    return this.scheduler.runTask('write', device.engine.write(address, data));
  }

  read(device: AmdDevice, address: DmaAddr, into: Uint8Array): TransferStatus {
    return this.scheduler.runTask('read', device.engine.read(address, into));
  }

  bytesAt(address: PhysAddr, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    this.memory.read(address, bytes);
    return bytes;
  }

  #device(requesterId: number, maskBits: number): Device {
    const options: DeviceOptions = {
      name: `0000:0${requesterId >> 8}:00.0`,
      platform: this.#platform,
      requesterId,
      hostBridge: this.#hostBridge,
      reservedRegions: this.iommu.reservedRegions(requesterId),
    };
    const dev = pciDevice(options);
    this.iommu.attachDevice(this.domain, requesterId);
    iommuSetupDmaOps(dev, this.domain);
    dmaSetMask(dev, dmaBitMask(maskBits));
    return dev;
  }
}
