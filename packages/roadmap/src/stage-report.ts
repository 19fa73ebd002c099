// StageReport: everything a stage is judged by, one object per run. Both apps print it and nothing else.
// Source followed: the project's design ("what every stage is judged by"); structure sizes of Linux 7.3.4 on x86-64.
// Simplified: latency is not modelled; clock steps are bus requests, not time.

import type { ExportedBarReport } from './exported-bar/exported-bar-report.ts';
import type { PeerReport } from './peer-report.ts';
import type { WorkCounts } from './work-counts.ts';

/**
 * How Linux 7.3.4 maps a request behind an IOMMU, by its shape: one segment; no gap finer than the IOMMU granule;
 * gaps. Every stage sorts the same requests into the same classes, so that rows can be compared.
 * @public
 */
export type ReportClass = 'single' | 'two-step' | 'per-segment';

/**
 * The classes in the order of reports.
 * @public
 */
export const REPORT_CLASSES: readonly ReportClass[] = ['single', 'two-step', 'per-segment'];

/**
 * The requests of one class and what they cost.
 * @public
 */
export interface ClassReport extends WorkCounts {
  readonly requests: number;
  readonly bytes: number;
  /** Physically contiguous runs of memory. */
  readonly segments: number;
  /** DMA ranges that mapping handed out: what the driver had to remember or to find again at unmap. */
  readonly dmaRangesOut: number;
  /** Bytes of tracking memory taken, whole objects. */
  readonly trackingBytes: number;
}

/**
 * Requests and bytes that took one way through the fabric.
 * @public
 */
export interface RouteReport {
  readonly requests: number;
  readonly bytes: number;
}

/**
 * What must be zero once everything was given back.
 * @public
 */
export interface Leftovers {
  readonly iovaRanges: number;
  readonly pageTableEntries: number;
  /** Translations the IOMMU still caches: nothing may be cached that is no longer mapped. */
  readonly iotlbEntries: number;
  readonly coherentFrames: number;
  readonly descriptorBlocks: number;
  readonly trackingBytes: number;
  /** Blocks of a peer's page pool, where the data lies in one. */
  readonly p2pmemBlocks: number;
  /** dma-bufs, descriptors of them, and buffers that still hold their exporter. */
  readonly dmaBufs: number;
  /** Keys of memory regions in the adapter's table. */
  readonly memoryRegions: number;
}

/**
 * A thing that went wrong during a run.
 * @public
 */
export interface StageFailure {
  /**
   * `probe`: the controller did not come up; `request`: a request failed; `data`: wrong bytes; `teardown`: something
   * stayed; `plant`: the fault that was asked for found no request it fits.
   */
  readonly kind: 'probe' | 'request' | 'data' | 'teardown' | 'plant';
  /** Which I/O of the list (0-based); -1 = none in particular. */
  readonly io: number;
  readonly detail: string;
}

/**
 * The report of one run of one stage.
 * @public
 */
export interface StageReport {
  readonly stage: number;
  /** The one-line name of the stage's way of mapping. */
  readonly title: string;
  /** IOMMU mode of the run; `direct`: nothing translates. */
  readonly mode: 'strict' | 'direct';
  readonly seed: number;
  readonly ios: number;
  /** Requests of the block layer; 0 where there is none. */
  readonly requests: number;
  readonly classes: Readonly<Record<ReportClass, ClassReport>>;
  /**
   * Sum of the classes, where there are any: what a kernel trace shows as map and unmap lines and range invalidations of the I/O itself.
   */
  readonly requestWork: WorkCounts;
  /** Pages the descriptor pools took while the I/O ran: the `dma_alloc` lines of a kernel trace. */
  readonly descriptorPoolPages: number;
  /** Work outside requests: rings, identify data and descriptor pool pages, set up and taken down. */
  readonly setup: WorkCounts;
  /** Sum of request work and setup. */
  readonly total: WorkCounts;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesVerified: number;
  readonly bytesWrong: number;
  /** Bytes of reads that several ranges of one I/O wanted at the same place; any of their values is right. */
  readonly bytesContested: number;
  readonly dmaRangesOut: number;
  /** Deepest the flush queue ever was; 0 in strict mode. */
  readonly flushQueueDepth: number;
  readonly tracking: {
    /** Bytes taken by structure over the run. */
    readonly byStructure: Readonly<Record<string, number>>;
    readonly totalBytes: number;
    readonly peakBytes: number;
  };
  readonly fabric: {
    readonly memory: RouteReport;
    readonly switchLocal: RouteReport;
    readonly hostBridge: RouteReport;
    readonly refused: RouteReport;
  };
  readonly iommu: {
    readonly translations: number;
    readonly iotlbHits: number;
    readonly iotlbMisses: number;
    readonly faults: number;
  };
  readonly controller: {
    readonly commands: number;
    readonly prpEntriesFetched: number;
    readonly sglDescriptorsFetched: number;
    readonly errors: number;
  };
  /** Clock steps between a revoke and the device's last access; null where nothing was revoked. */
  readonly revokeToLastAccessSteps: number | null;
  readonly clockSteps: number;
  /** How a peer's BAR came into it; null: the data lies in RAM. */
  readonly peer: PeerReport | null;
  /** How that BAR was exported, imported and used by an adapter; null: no dma-buf was involved. */
  readonly exported: ExportedBarReport | null;
  /** Stage 5: the same I/O over the deprecated operation, on a machine of its own. */
  readonly beside?: StageReport;
  readonly leftovers: Leftovers;
  /** The first failures; empty on a good run. */
  readonly failures: readonly StageFailure[];
  readonly failureCount: number;
}

/**
 * How many things stayed behind; 0 on a good run.
 * @public
 */
export const leftoverCount = (leftovers: Leftovers): number =>
  Object.values(leftovers).reduce((sum, count) => sum + Math.abs(count), 0);
