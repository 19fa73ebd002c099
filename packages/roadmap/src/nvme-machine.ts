// NvmeMachine: one computer around an NVMe disk on a fabric: its memory, an IOMMU unit with its driver or none, and the
// disk as the kernel's device.
// Source followed: a machine that has booted up to the point where the NVMe driver binds; strict mode where there is a unit.
// Simplified: one processor; the disk's translation is the only one.

import {
  type BridgeWindow,
  type Device,
  type DmaDebug,
  DmaPlatform,
  type DmaRange,
  pciDevice,
} from '@sgfree/dma-core';
import {
  type BlockMedium,
  type Clock,
  type DmaAddr,
  dmaAddr,
  EventLog,
  frameOf,
  hex,
  InternalError,
  NVME_SGL,
  type NvmeController,
  offsetWithin,
  PAGE_SIZE,
  type PciFabric,
  type PhysAddr,
  type PhysicalMemory,
  type PhysRange,
  type VtdUnit,
} from '@sgfree/hw-model';
import type { PagingDomain } from '@sgfree/iommu';
import { PageAllocator, PageFrames } from '@sgfree/mm';
import { DeviceTranslation } from './device-translation.ts';
import { frameOfSlot, type SecondStageSlot, secondStageSlot } from './second-stage-slot.ts';
import type { StackCommand } from './storage-stack.ts';
import { WatchedAgent } from './watched-agent.ts';
import type { WorkCounts } from './work-counts.ts';

/**
 * What a machine is put together from. The fabric is enumerated, and its functions answer and issue requests.
 * @internal
 */
export interface NvmeMachineParts {
  readonly memory: PhysicalMemory;
  readonly clock: Clock;
  readonly fabric: PciFabric;
  readonly controller: NvmeController;
  /** Name of the disk in the kernel's messages. */
  readonly name: string;
  /** RAM for page tables, rings and pools; more than 16 MiB. */
  readonly kernelRam: PhysRange;
  /** Ranges that the host bridge above the disk claims; no IOVA lies there. */
  readonly bridgeWindows: readonly BridgeWindow[];
  /** Where the bus shifts addresses: how memory is reached without an IOMMU. Default: bus and CPU addresses are equal. */
  readonly dmaRanges?: readonly DmaRange[];
  /** What is known of page frames; default: all of RAM is ordinary. */
  readonly frames?: PageFrames;
  /** True: a unit translates every device's requests; false: addresses pass as they are. */
  readonly translated: boolean;
  /** Gets the kernel's events while it is enabled. */
  readonly log?: EventLog;
  /** The checker of DMA API misuse. */
  readonly debug?: DmaDebug;
}

/**
 * A computer with one NVMe disk.
 * @internal
 */
export class NvmeMachine {
  readonly memory: PhysicalMemory;
  readonly clock: Clock;
  readonly fabric: PciFabric;
  readonly controller: NvmeController;
  /** Null: nothing translates. */
  readonly unit: VtdUnit | null;
  /** Coherent memory. */
  readonly pages: PageAllocator;
  readonly dev: Device;
  /** The disk's domain; null: nothing translates. */
  readonly domain: PagingDomain | null;
  /** BAR 0 of the controller as the CPU sees it. */
  readonly controllerRegisters: PhysAddr;
  readonly #translation: DeviceTranslation;

  constructor(parts: NvmeMachineParts) {
    const { memory, clock, fabric, controller, debug } = parts;
    const log = parts.log ?? new EventLog();
    this.memory = memory;
    this.clock = clock;
    this.fabric = fabric;
    this.controller = controller;
    this.#translation = new DeviceTranslation({ ...parts, log });
    this.unit = this.#translation.unit;
    this.pages = new PageAllocator(memory, this.#translation.restOfRam);
    const platform = new DmaPlatform({
      memory,
      pages: this.pages,
      frames: parts.frames ?? new PageFrames(),
      log,
      clock,
      debug: debug ?? null,
    });
    this.dev = this.#describe(parts, platform);
    this.domain = this.#translation.attach(this.dev);
    if (debug !== undefined && this.unit !== null) {
      fabric.setTranslationAgent(new WatchedAgent(this.unit, this.dev));
    }
    this.controllerRegisters = fabric.barPhys(controller.endpoint, 0);
  }

  get medium(): BlockMedium {
    return this.controller.medium;
  }

  /** I/O address ranges in the hands of callers. */
  get liveIovaRanges(): number {
    return this.#translation.liveIovaRanges;
  }

  /** Leaf entries that stand in the page table, read from simulated memory. */
  get liveTableEntries(): number {
    return this.#translation.liveTableEntries;
  }

  /** The counters of hardware and IOMMU software as they stand. */
  sampleWork(): WorkCounts {
    return this.#translation.sampleWork();
  }

  /** The leaf entry behind a DMA address of the disk, in simulated memory; null when it is not mapped. */
  leafSlot(address: DmaAddr): SecondStageSlot | null {
    if (this.domain === null) return null;
    const { rootFrame, levels } = this.domain.table;
    return secondStageSlot(this.memory, rootFrame, levels, frameOf(address));
  }

  /** DMA address of a command's first data byte: in the command itself, or in the SGL it points to. */
  firstDataAddress({ entry }: StackCommand): DmaAddr {
    const pointer = dmaAddr(entry.prp1);
    if (entry.dataPointer.getUint8(15) !== NVME_SGL.lastSegment) return pointer;
    const slot = this.leafSlot(pointer);
    if (slot === null && this.domain !== null) throw new InternalError(`no list behind ${hex(pointer)}`);
    const frame = slot === null ? frameOf(pointer) : frameOfSlot(slot);
    const list = new DataView(this.memory.frameBytes(frame).slice().buffer);
    const at = offsetWithin(pointer, PAGE_SIZE);
    return dmaAddr(list.getUint32(at, true) + 2 ** 32 * list.getUint32(at + 4, true));
  }

  /** The disk as the PCI core presents it to its driver. */
  #describe(parts: NvmeMachineParts, platform: DmaPlatform): Device {
    const { requesterId, bus } = this.controller.endpoint;
    return pciDevice({
      name: parts.name,
      platform,
      requesterId,
      segment: bus.host.segment,
      hostBridge: { windows: parts.bridgeWindows },
      reservedRegions: this.#translation.reservedRegions(requesterId),
      dmaRanges: parts.dmaRanges ?? [],
    });
  }
}
