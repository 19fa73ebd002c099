// DeviceTranslation: what stands between devices and memory: a VT-d unit with its driver and a domain per device, or nothing.
// Source followed: a machine that has booted: intel_iommu probed, each device in a DMA domain of its own; strict mode.
// Simplified: one unit for all devices of the fabric; each device is alone in its IOMMU group, also below one switch; one DmaPlatform.

import { type Device, iommuSetupDmaOps } from '@sgfree/dma-core';
import {
  addOffset,
  type EventLog,
  type PciFabric,
  type PhysicalMemory,
  type PhysRange,
  recordedVtdCapabilities,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu, type PagingDomain } from '@sgfree/iommu';
import { FrameAllocator } from '@sgfree/mm';
import { leafCount, sampleDomainWork } from './domain-work.ts';
import type { WorkCounts } from './work-counts.ts';

/** Group of the device that is attached first; each further one has the next. */
const FIRST_IOMMU_GROUP = 22;
/** The part of the kernel's RAM that page tables and the invalidation queue use. */
const TABLE_BYTES: number = 16 * 2 ** 20;

/**
 * What the translation is set up with.
 * @internal
 */
export interface DeviceTranslationParts {
  readonly memory: PhysicalMemory;
  readonly fabric: PciFabric;
  /** RAM of the kernel, more than 16 MiB; the translation takes its last 16 MiB. */
  readonly kernelRam: PhysRange;
  readonly log: EventLog;
  /** True: a unit translates every device's requests; false: addresses pass as they are. */
  readonly translated: boolean;
}

/**
 * The way of the devices' addresses to memory.
 * @internal
 */
export class DeviceTranslation {
  /** Null: nothing translates. */
  readonly unit: VtdUnit | null;
  /** What of the kernel's RAM is left for others. */
  readonly restOfRam: PhysRange;
  /** The unit's driver, for those who bind devices by themselves; null: nothing translates. */
  readonly iommu: IntelIommu | null;
  readonly #devices: Device[] = [];
  readonly #domains: PagingDomain[] = [];

  constructor({ memory, fabric, kernelRam, log, translated }: DeviceTranslationParts) {
    const { base, bytes } = kernelRam;
    const rest = bytes - TABLE_BYTES;
    this.restOfRam = { base, bytes: rest };
    this.unit = translated ? new VtdUnit(memory, { capabilities: recordedVtdCapabilities, log }) : null;
    if (this.unit !== null) fabric.setTranslationAgent(this.unit);
    const frames = new FrameAllocator(memory, { base: addOffset(base, rest), bytes: TABLE_BYTES });
    this.iommu = this.unit === null ? null : new IntelIommu({ unit: this.unit, memory, frames, log });
  }

  /** Addresses that are not the device's to use. */
  reservedRegions(requesterId: number): ReturnType<IntelIommu['reservedRegions']> {
    return this.iommu?.reservedRegions(requesterId) ?? [];
  }

  /** Puts a device into a group and a domain of its own (null: nothing translates), and sets up what its driver maps through. */
  attach(dev: Device): PagingDomain | null {
    const domain = this.iommu?.allocPagingDomain(FIRST_IOMMU_GROUP + this.#devices.length) ?? null;
    this.#devices.push(dev);
    if (domain !== null) {
      this.iommu?.attachDevice(domain, dev.requesterId);
      this.#domains.push(domain);
    }
    iommuSetupDmaOps(dev, domain);
    return domain;
  }

  /** I/O address ranges in the hands of callers. */
  get liveIovaRanges(): number {
    return this.#devices.reduce((sum, { cookie }) => sum + (cookie?.iovad.liveRanges ?? 0), 0);
  }

  /** Leaf entries that stand in the page tables, read from simulated memory. */
  get liveTableEntries(): number {
    return this.#domains.reduce((sum, domain) => sum + leafCount(domain), 0);
  }

  /** The counters of the unit, its driver and the attached devices as they stand. */
  sampleWork(): WorkCounts {
    return {
      ...sampleDomainWork(this.unit, this.#domains),
      iovaAllocations: this.#devices.reduce((sum, { cookie }) => sum + (cookie?.iovad.allocations ?? 0), 0),
      structPagesTouched: this.#devices[0]?.platform.frames.touched ?? 0,
    };
  }
}
