// ReplayReport: what a replayed trace says: what was traced, what was inferred, and what each run cost.
// Source followed: the project's rule that a report holds what its reader prints, and that inferred numbers are marked.
// Simplified: plain data only; addresses are numbers here, programs that print them write hex.

import type { ReconstructionRule, TracedMappingKind, TraceFindingCode } from '@sgfree/trace';
import type { Verdict } from '../verdict.ts';
import type { ReplayMode, ReplayStage } from './replay-plan.ts';
import type { ReplayRefusal } from './replay-refusal.ts';
import type { ReplayUser } from './run-device.ts';
import type { RunSizeClass } from './run-size-histogram.ts';
import type { Fragmentation, SpaceSample } from './space-survey.ts';
import type { WrongTranslation } from './translation-check.ts';

/**
 * A mapping that the trace never undoes.
 * @public
 */
export interface TracedLeak {
  /** Empty: no line names it. */
  readonly device: string;
  readonly kind: TracedMappingKind;
  readonly line: number;
  readonly task: string;
  readonly dmaAddr: number;
  readonly bytes: number;
}

/**
 * Something in the trace that does not fit together.
 * @public
 */
export interface FindingSummary {
  readonly count: number;
  /** Those that the trace alone proves. */
  readonly certain: number;
  readonly firstLine: number;
  readonly firstText: string;
}

/**
 * What the trace holds of one device, or of all.
 * @public
 */
export interface TracedSide {
  readonly mappings: Readonly<Record<TracedMappingKind, number>>;
  readonly bytes: number;
  /**
   * Mappings whose DMA address is the physical one: they were traced without translation, where the kernel lets drivers
   * leave out the unmapping. One that has no end in the trace costs each run nothing for it.
   */
  readonly untranslated: number;
  /** Mappings that are in no run, by reason. */
  readonly refused: Readonly<Partial<Record<ReplayRefusal, number>>>;
  /** Mappings in which something was inferred, by rule. */
  readonly inferred: Readonly<Partial<Record<ReconstructionRule, number>>>;
  readonly runSizes: readonly RunSizeClass[];
  /** Mappings that the trace never undoes, coherent ones and those of direct IOMMU users included. */
  readonly liveAtEnd: {
    readonly count: number;
    readonly bytes: number;
    readonly first: readonly TracedLeak[];
  };
  readonly findings: Readonly<Partial<Record<TraceFindingCode, FindingSummary>>>;
  /** Buffers that the traced kernel bounced. */
  readonly bounced: { readonly count: number; readonly bytes: number };
}

/**
 * One device of the trace.
 * @public
 */
export interface TracedDeviceReport extends TracedSide {
  /** Empty: no line names the device. Of a direct user of the IOMMU: its task. */
  readonly device: string;
  readonly user: ReplayUser;
  /** Bits of the masks it was replayed with; inferred from the addresses that were seen. */
  readonly streamingMaskBits: 32 | 64;
  readonly coherentMaskBits: 32 | 64;
}

/**
 * What a lazy domain's queue did.
 * @public
 */
export interface FlushQueueReport {
  readonly queued: number;
  readonly ringFullFlushes: number;
  readonly timerFlushes: number;
  /** Most ranges in one CPU's ring. */
  readonly deepestRing: number;
  /** Milliseconds of trace time from unmap to flush; null when no range was flushed. */
  readonly exposureMs: { readonly longest: number; readonly mean: number } | null;
}

/**
 * The I/O address space of one device.
 * @public
 */
export interface AddressSpaceReport {
  readonly allocations: number;
  readonly fromCaches: number;
  readonly fromTree: number;
  /** Most ranges at once: held, cached or waiting. */
  readonly peakRanges: number;
  /** When the most ranges were there, or nearly: beyond 16 ranges, growth by less than a sixteenth is not looked at. */
  readonly fragmentation: Fragmentation;
  readonly cachedAtEnd: number;
  readonly depotMagazinesAtEnd: number;
  /** Over time. */
  readonly samples: readonly SpaceSample[];
}

/**
 * What a run cost one device, or all.
 * @public
 */
export interface RunCost {
  readonly mapped: number;
  readonly unmapped: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly dmaRangesOut: number;
  readonly iovaAllocations: number;
  readonly iovaFromCaches: number;
  /** Calls that changed the page table: one for each contiguous run, one for each unmap. */
  readonly mapCalls: number;
  readonly unmapCalls: number;
  readonly entriesWritten: number;
  readonly entriesCleared: number;
  /** Of the entries written, how many hold leaves of so many bytes. */
  readonly leavesBySize: Readonly<Record<string, number>>;
  /** Most table pages at once; of all devices: the unit's own pages included. */
  readonly tablePagesPeak: number;
  readonly invalidations: {
    readonly page: number;
    readonly domain: number;
    readonly global: number;
    readonly waits: number;
  };
  /** Most mappings at once, and most bytes at once in whole pages, which is I/O address space where there is any. */
  readonly peakMappings: number;
  readonly peakBytes: number;
  /** The structures of the API alone: 32 bytes an entry of a scatterlist, 16 a dma_iova_state, 16 an address and length. */
  readonly tracking: {
    readonly takenBytes: number;
    readonly peakBytes: number;
    readonly byStructure: Readonly<Record<string, number>>;
  };
  /** Null without a flush queue. */
  readonly flushQueue: FlushQueueReport | null;
}

/**
 * One device in one run.
 * @public
 */
export interface RunDeviceReport extends RunCost {
  /** As in {@link TracedDeviceReport}. */
  readonly device: string;
  readonly user: ReplayUser;
  /** Null in passthrough, and of a direct user of the IOMMU, who chooses its addresses itself. */
  readonly addressSpace: AddressSpaceReport | null;
}

/**
 * What was proven of a run.
 * @public
 */
export interface RunChecks {
  /** Addresses that the IOMMU was asked about after mapping, and after unmapping. */
  readonly lookedAt: number;
  readonly lookedAtAfterUnmap: number;
  /** Answers after unmapping: in lazy mode that is the exposure, in strict mode an error. */
  readonly answeredAfterUnmap: number;
  readonly wrongCount: number;
  readonly wrong: readonly WrongTranslation[];
  /** Rules that calls violated, in the sample of calls that were watched: an error of the replay. */
  readonly violations: Readonly<Record<string, number>>;
  /** The same of calls that failed, which is what the trace asked for. */
  readonly violationsOfFailedCalls: Readonly<Record<string, number>>;
  /** What stayed after everything had been unmapped; all zero on a good run. */
  readonly leftovers: {
    readonly iovaRanges: number;
    readonly pageTableEntries: number;
    readonly trackingBytes: number;
    readonly mappings: number;
  };
}

/**
 * One stage under one mode.
 * @public
 */
export interface ReplayRunReport {
  readonly stage: ReplayStage;
  readonly mode: ReplayMode;
  readonly total: RunCost;
  readonly structPagesTouched: number;
  readonly devices: readonly RunDeviceReport[];
  readonly checks: RunChecks;
}

/**
 * A replayed trace.
 * @public
 */
export interface ReplayReport {
  /** CPUs that mapped or unmapped. */
  readonly cpus: number;
  /** Nanoseconds from the first mapping or unmapping to the last; -1 without times. */
  readonly nanoseconds: number;
  readonly traced: TracedSide;
  readonly devices: readonly TracedDeviceReport[];
  /** Some names of devices that were left out because another one was asked for. */
  readonly otherDevices: readonly string[];
  /** Mappings left out because one device was asked for and no line says whose they are. */
  readonly unnamedLeftOut: number;
  readonly runs: readonly ReplayRunReport[];
  readonly verdict: Verdict;
}
