// DeviceTranslation: what stands between one device and memory: a VT-d unit with its driver and the device's domain, or nothing.
// Source followed: a machine that has booted: intel_iommu probed, the device in a DMA domain of its own; strict mode.
// Simplified: one unit for all devices of the fabric; the device is alone in its IOMMU group.

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
import type { WorkCounts } from './work-counts.ts';

const IOMMU_GROUP = 22;
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
 * The way of a device's addresses to memory.
 * @internal
 */
export class DeviceTranslation {
  /** Null: nothing translates. */
  readonly unit: VtdUnit | null;
  /** What of the kernel's RAM is left for others. */
  readonly restOfRam: PhysRange;
  readonly #iommu: IntelIommu | null;
  #domain: PagingDomain | null = null;

  constructor({ memory, fabric, kernelRam, log, translated }: DeviceTranslationParts) {
    const { base, bytes } = kernelRam;
    const rest = bytes - TABLE_BYTES;
    this.restOfRam = { base, bytes: rest };
    this.unit = translated ? new VtdUnit(memory, { capabilities: recordedVtdCapabilities, log }) : null;
    if (this.unit !== null) fabric.setTranslationAgent(this.unit);
    const frames = new FrameAllocator(memory, { base: addOffset(base, rest), bytes: TABLE_BYTES });
    this.#iommu = this.unit === null ? null : new IntelIommu({ unit: this.unit, memory, frames, log });
  }

  /** Addresses that are not the device's to use. */
  reservedRegions(requesterId: number): ReturnType<IntelIommu['reservedRegions']> {
    return this.#iommu?.reservedRegions(requesterId) ?? [];
  }

  /** Puts the device into a domain of its own (null: nothing translates), and sets up what its driver maps through. */
  attach(dev: Device): PagingDomain | null {
    this.#domain = this.#iommu?.allocPagingDomain(IOMMU_GROUP) ?? null;
    if (this.#domain !== null) this.#iommu?.attachDevice(this.#domain, dev.requesterId);
    iommuSetupDmaOps(dev, this.#domain);
    return this.#domain;
  }

  /** Leaf entries that stand in the page table, read from simulated memory. */
  get liveTableEntries(): number {
    let leaves = 0;
    this.#domain?.table.visitLeaves(() => {
      leaves += 1;
    });
    return leaves;
  }

  /** The counters of the unit, its driver and `dev`, which has been attached, as they stand. */
  sampleWork(dev: Device): WorkCounts {
    const unit = this.unit?.counters;
    const { table = null, mapCalls = 0, unmapCalls = 0 } = this.#domain ?? {};
    return {
      iovaAllocations: dev.cookie?.iovad.allocations ?? 0,
      mapCalls,
      unmapCalls,
      entriesWritten: table?.entriesWritten ?? 0,
      entriesCleared: table?.entriesCleared ?? 0,
      invalidationCommands: unit === undefined ? 0 : unit.iotlbPage + unit.iotlbDomain + unit.iotlbGlobal,
      invalidationWaits: unit?.waits ?? 0,
      structPagesTouched: dev.platform.frames.touched,
    };
  }
}
