// GpuExchangeReport: what an exchange between a card's memory, a disk and a peer on the wire came to.
// Source followed: the contract of invalidation in dma-buf; the catalogue of DMA-API abuses.
// Simplified: a clock step is a bus request, not time.

import type { P2pdmaMapType } from '@sgfree/p2p';
import type { StageReport } from '../stage-report.ts';
import type { GpuExchangeInput } from './gpu-exchange-input.ts';

/**
 * One move of an object that importers had; steps from the moment the first of them was told, null = it did not happen.
 * @beta
 */
export interface GpuExchangeMove {
  readonly object: string;
  readonly from: string;
  readonly to: string;
  /** The last access of an importer to the old place. */
  readonly lastAccess: number | null;
  /** The wait for fences was over: the card began to read the old place. */
  readonly copyBegan: number | null;
  /** The copy had ended and the old place was free. */
  readonly ended: number | null;
  /** Accesses to the old place after the wait. */
  readonly late: number;
}

/**
 * The report of one run.
 * @beta
 */
export interface GpuExchangeReport {
  readonly input: Required<Omit<GpuExchangeInput, 'plant'>> & Pick<GpuExchangeInput, 'plant'>;
  /** The figures that every stage has; the steps from a revoke to the last access are those of the slowest move. */
  readonly stage: StageReport;
  /** What the kernel decides for adapter and disk. */
  readonly mapTypes: { readonly adapter: P2pdmaMapType; readonly disk: P2pdmaMapType };
  /** What crossed from exporter to importers. */
  readonly crossed: {
    readonly mappings: number;
    readonly entries: number;
    readonly scatterlistEntries: number;
    readonly bytes: number;
    /** Attachments by the name of the mapping type that was agreed on. */
    readonly agreed: Readonly<Record<string, number>>;
  };
  readonly moves: readonly GpuExchangeMove[];
  /** What the card's driver did of itself, what of it failed, objects taken out of VRAM, and bytes that its engine copied. */
  readonly driver: {
    readonly acted: number;
    readonly failed: number;
    readonly evictions: number;
    readonly bytesMoved: number;
  };
  /** Invalidations that the disk's driver got, and those that came while the disk was at work. */
  readonly told: number;
  readonly toldAtWork: number;
  /** Page faults of the adapter. */
  readonly faultsServed: number;
  /** Requests of importers to objects: all; to old places after the wait; to memory that is not theirs; before the bytes were there. */
  readonly accesses: {
    readonly all: number;
    readonly late: number;
    readonly stray: number;
    readonly early: number;
  };
  /** An object that may lie in VRAM only: 0 or the errno of the disk's attach and map (null: not asked), and of registering. */
  readonly vramOnly: { readonly attach: number; readonly map: number | null; readonly register: number };
  /** Abuses of the DMA API that the exporter was seen to commit, by name. */
  readonly abuses: Readonly<Record<string, number>>;
  readonly transfers: { readonly disk: number; readonly peer: number };
  /** Bytes of objects that nobody shares. */
  readonly kept: { readonly verified: number; readonly wrong: number };
  readonly violations: readonly string[];
  /** What is left on the card and in the kernel; the adapter's table is in `stage.leftovers`. */
  readonly leftovers: {
    readonly vramBytes: number;
    readonly cardPages: number;
    readonly runtimeRefs: number;
    readonly locks: number;
  };
}
