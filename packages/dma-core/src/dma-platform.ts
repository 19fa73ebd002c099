// DmaPlatform: the machine as the DMA layer sees it, one per machine and shared by its devices.
// Source followed: what kernel/dma/ and drivers/iommu/dma-iommu.c take from globals (max_pfn, zone_dma_limit, the
// default swiotlb pool, iommu_dma_forcedac); here it is one object, so that machines can live side by side.
// Simplified: one memory node, no memory encryption, kmalloc never needs bouncing (as on x86-64).

import { addOffset, type Clock, type CpuView, EventLog, type PhysicalMemory } from '@sgfree/hw-model';
import { type PageAllocator, PageFrames } from '@sgfree/mm';
import type { Swiotlb } from './bounce-buffers.ts';
import type { CacheMaintenance } from './cache-maintenance.ts';
import type { DmaDebug } from './debug/dma-debug.ts';
import type { KernelRegions } from './kernel-regions.ts';
import type { P2pClassifier } from './p2p-classifier.ts';

/**
 * What a machine offers to the DMA layer; only `memory` is needed.
 * @public
 */
export interface DmaPlatformOptions {
  readonly memory: PhysicalMemory;
  /** Source of coherent memory; null: such allocations fail. */
  readonly pages?: PageAllocator | null;
  readonly frames?: PageFrames;
  readonly log?: EventLog;
  readonly p2p?: P2pClassifier | null;
  readonly swiotlb?: Swiotlb | null;
  readonly cache?: CacheMaintenance | null;
  /** Last byte that the DMA zone holds; 2^24 - 1 on x86-64. */
  readonly zoneDmaLimit?: number;
  /** `iommu.forcedac`: PCI devices do not try 32-bit addresses first. */
  readonly forcedac?: boolean;
  /** CPUs, all online; default 1. */
  readonly cpus?: number;
  /** Times the trimming of the IOVA caches and the flush queues. */
  readonly clock?: Clock | null;
  /** The checker of misuse (`CONFIG_DMA_API_DEBUG`); null: none, and nothing is looked at. */
  readonly debug?: DmaDebug | null;
  /** Memory that drivers should not map; default none. */
  readonly kernelRegions?: KernelRegions;
  /** Asked before a flush queue of so many bytes is made; false makes that fail, and the domain stays strict. */
  readonly allocateFlushQueue?: (bytes: number) => boolean;
}

/**
 * Shared ground of all devices of one machine.
 * @public
 */
export class DmaPlatform {
  readonly memory: PhysicalMemory;
  readonly pages: PageAllocator | null;
  readonly frames: PageFrames;
  readonly log: EventLog;
  readonly swiotlb: Swiotlb | null;
  readonly cache: CacheMaintenance | null;
  readonly zoneDmaLimit: number;
  readonly forcedac: boolean;
  readonly cpus: number;
  readonly clock: Clock | null;
  readonly allocateFlushQueue: (bytes: number) => boolean;
  readonly kernelRegions: KernelRegions;
  /** May be plugged in later; what was mapped before is then unknown to it. */
  debug: DmaDebug | null;
  /** The CPU on which the calls run; 0 unless set. */
  currentCpu = 0;
  /** Set once the fabric is known. */
  p2p: P2pClassifier | null;

  constructor(options: DmaPlatformOptions) {
    this.memory = options.memory;
    this.pages = options.pages ?? null;
    this.frames = options.frames ?? new PageFrames();
    this.log = options.log ?? new EventLog();
    this.p2p = options.p2p ?? null;
    this.swiotlb = options.swiotlb ?? null;
    this.cache = options.cache ?? null;
    this.zoneDmaLimit = options.zoneDmaLimit ?? 2 ** 24 - 1;
    this.forcedac = options.forcedac ?? false;
    this.cpus = options.cpus ?? 1;
    this.clock = options.clock ?? null;
    this.debug = options.debug ?? null;
    this.kernelRegions = options.kernelRegions ?? {};
    this.allocateFlushQueue = options.allocateFlushQueue ?? (() => true);
  }

  /** Memory as the CPU's own copies see it: through its caches, if there are any. */
  get cpuView(): CpuView {
    return this.cache?.cpuView ?? this.memory;
  }

  /** Last byte of RAM (`max_pfn`), -1 without RAM. */
  get lastRamByte(): number {
    let last = -1;
    for (const { base, bytes } of this.memory.ramRanges) last = Math.max(last, addOffset(base, bytes - 1));
    return last;
  }
}
