// RecordedMachine: one whole computer as an object graph: memory, fabric, a VT-d unit with its driver, an NVMe disk.
// Source followed: the recorded q35 machine (vectors/kernel/io/strict/RUN.txt and topo/): an NVMe controller at 01:00.0
// below a root port, in IOMMU group 22, one VT-d unit for all, 48-bit tables, strict mode.
// Simplified: one disk and one processor; no other device, no firmware tables.

import { type Device, type DmaDebug, DmaPlatform, iommuSetupDmaOps, pciDevice } from '@sgfree/dma-core';
import {
  addOffset,
  type BlockMedium,
  Clock,
  type DmaAddr,
  dmaAddr,
  EventLog,
  frameOf,
  hex,
  InternalError,
  NVME_SGL,
  NvmeController,
  offsetWithin,
  PAGE_SIZE,
  PciFabric,
  type PhysAddr,
  PhysicalMemory,
  type PhysRange,
  recordedVtdCapabilities,
  type Scheduler,
  VtdUnit,
} from '@sgfree/hw-model';
import { IntelIommu, type IovaDomain, type PagingDomain } from '@sgfree/iommu';
import { FrameAllocator, PageAllocator, PageFrames } from '@sgfree/mm';
import { type MachineShape, machineShape } from './machine-shape.ts';
import { frameOfSlot, type SecondStageSlot, secondStageSlot } from './second-stage-slot.ts';
import type { StackCommand } from './storage-stack.ts';
import { WatchedAgent } from './watched-agent.ts';
import type { WorkCounts } from './work-counts.ts';

/**
 * What a machine is built from.
 * @internal
 */
export interface RecordedMachineOptions {
  /** See {@link machineShape}. */
  readonly memoryBytes: number;
  readonly scheduler: Scheduler;
  /** Makes the disk's medium of so many 512-byte blocks. */
  readonly medium: (blockCount: number) => BlockMedium;
  /** Gets the kernel's events while it is enabled. */
  readonly log?: EventLog;
  /** The checker of DMA API misuse. */
  readonly debug?: DmaDebug;
}

const IOMMU_GROUP = 22;
/** The part of the kernel's RAM that page tables and the invalidation queue use; the rest is coherent memory. */
const TABLE_BYTES: number = 16 * 2 ** 20;

/**
 * A machine that has booted up to the point where the NVMe driver binds.
 * @internal
 */
export class RecordedMachine {
  readonly shape: MachineShape;
  readonly memory: PhysicalMemory = new PhysicalMemory();
  readonly clock: Clock = new Clock();
  readonly fabric: PciFabric;
  readonly unit: VtdUnit;
  readonly controller: NvmeController;
  /** Coherent memory. */
  readonly pages: PageAllocator;
  readonly dev: Device;
  readonly domain: PagingDomain;
  /** BAR 0 of the controller as the CPU sees it. */
  readonly controllerRegisters: PhysAddr;

  constructor(options: RecordedMachineOptions) {
    const { memory, clock } = this;
    const log = options.log ?? new EventLog();
    this.shape = machineShape(options.memoryBytes);
    for (const { base, bytes } of this.shape.ram) memory.addRam(base, bytes);
    this.fabric = new PciFabric({ memory, clock, log });
    this.controller = this.#plugIn(options);
    this.unit = new VtdUnit(memory, { capabilities: recordedVtdCapabilities, log });
    this.fabric.setTranslationAgent(this.unit);
    const { tables, coherent } = kernelWindows(this.shape);
    this.pages = new PageAllocator(memory, coherent);
    const frames = new FrameAllocator(memory, tables);
    const iommu = new IntelIommu({ unit: this.unit, memory, frames, log });
    this.dev = this.#describe(
      iommu,
      new DmaPlatform({
        memory,
        pages: this.pages,
        frames: new PageFrames(),
        log,
        clock,
        debug: options.debug ?? null,
      }),
    );
    this.domain = iommu.allocPagingDomain(IOMMU_GROUP);
    iommu.attachDevice(this.domain, this.dev.requesterId);
    iommuSetupDmaOps(this.dev, this.domain);
    if (options.debug !== undefined) this.fabric.setTranslationAgent(new WatchedAgent(this.unit, this.dev));
    this.controllerRegisters = this.fabric.barPhys(this.controller.endpoint, 0);
  }

  get medium(): BlockMedium {
    return this.controller.medium;
  }

  /** I/O address ranges in the hands of callers. */
  get liveIovaRanges(): number {
    return this.#iovad.liveRanges;
  }

  /** Leaf entries that stand in the page table, read from simulated memory. */
  get liveTableEntries(): number {
    let leaves = 0;
    this.domain.table.visitLeaves(() => {
      leaves += 1;
    });
    return leaves;
  }

  /** The counters of hardware and IOMMU software as they stand. */
  sampleWork(): WorkCounts {
    const { table, mapCalls, unmapCalls } = this.domain;
    const unit = this.unit.counters;
    return {
      iovaAllocations: this.#iovad.allocations,
      mapCalls,
      unmapCalls,
      entriesWritten: table.entriesWritten,
      entriesCleared: table.entriesCleared,
      invalidationCommands: unit.iotlbPage + unit.iotlbDomain + unit.iotlbGlobal,
      invalidationWaits: unit.waits,
      structPagesTouched: this.dev.platform.frames.touched,
    };
  }

  get #iovad(): IovaDomain {
    if (this.dev.cookie === null) throw new InternalError('the device has no DMA domain');
    return this.dev.cookie.iovad;
  }

  /** The leaf entry behind a DMA address of the disk, in simulated memory; null when it is not mapped. */
  leafSlot(address: DmaAddr): SecondStageSlot | null {
    const { rootFrame, levels } = this.domain.table;
    return secondStageSlot(this.memory, rootFrame, levels, frameOf(address));
  }

  /** DMA address of a command's first data byte: in the command itself, or in the SGL it points to. */
  firstDataAddress({ entry }: StackCommand): DmaAddr {
    const pointer = dmaAddr(entry.prp1);
    if (entry.dataPointer.getUint8(15) !== NVME_SGL.lastSegment) return pointer;
    const slot = this.leafSlot(pointer);
    if (slot === null) throw new InternalError(`no list behind ${hex(pointer)}`);
    const list = new DataView(this.memory.frameBytes(frameOfSlot(slot)).slice().buffer);
    const at = offsetWithin(pointer, PAGE_SIZE);
    return dmaAddr(list.getUint32(at, true) + 2 ** 32 * list.getUint32(at + 4, true));
  }

  #plugIn(options: RecordedMachineOptions): NvmeController {
    const { window32, window64, diskBytes, blockBytes } = this.shape;
    const host = this.fabric.addHostBridge({ memoryAperture: window32, prefetchAperture: window64 });
    const port = this.fabric.addRootPort(host);
    const { scheduler } = options;
    const medium = options.medium(diskBytes / blockBytes);
    const controller = new NvmeController(this.fabric, port, { scheduler, medium, name: '0000:01:00.0' });
    this.fabric.enumerate();
    controller.endpoint.setCommand({ memory: true, busMaster: true });
    return controller;
  }

  /** The disk as the PCI core presents it to its driver. */
  #describe(iommu: IntelIommu, platform: DmaPlatform): Device {
    const { name, requesterId } = this.controller.endpoint;
    return pciDevice({
      name,
      platform,
      requesterId,
      hostBridge: { windows: this.shape.bridgeWindows },
      reservedRegions: iommu.reservedRegions(requesterId),
    });
  }
}

/** Coherent memory below, page tables on top. */
function kernelWindows({ kernelRam }: MachineShape): { coherent: PhysRange; tables: PhysRange } {
  const bytes = kernelRam.bytes - TABLE_BYTES;
  const coherent: PhysRange = { base: kernelRam.base, bytes };
  return { coherent, tables: { base: addOffset(kernelRam.base, bytes), bytes: TABLE_BYTES } };
}
