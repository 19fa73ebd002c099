// MapLine: one `iommu:map` line, from its reading until its range is unmapped again. It is open until a line of the DMA
// API explains it; what stays open belongs to a two-step transfer or to a direct user of the IOMMU.
// Source followed: trace_map in drivers/iommu/iommu.c, one line for each call of iommu_map and each run of a list.
// Simplified: a line that is unmapped in part leaves its rest as lines of their own.

import type { Addressed } from './address-index.ts';
import { QueueItem } from './output-queue.ts';
import type { LiveMapping, MappedWhere, ReconstructedMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';
import type { UnmapLine } from './unmap-line.ts';

/** Where a line stands in the trace. */
export interface MapLineOrigin {
  readonly state: ReconstructionState;
  readonly serial: number;
  readonly line: number;
  readonly at: number;
  readonly cpu: number;
  readonly context: TraceContext;
}

/** Memory that was copied to a bounce buffer for a device. */
export interface BouncedRange {
  readonly device: string;
  readonly phys: number;
  readonly bytes: number;
}

/** A mapped range of one physical run. */
export class MapLine extends QueueItem implements Addressed<MapLine>, MapLineOrigin, MappedWhere {
  readonly state: ReconstructionState;
  readonly start: number;
  readonly end: number;
  readonly phys: number;
  readonly line: number;
  readonly at: number;
  readonly cpu: number;
  readonly context: TraceContext;
  /** Neighbours in the list of open lines of the context. */
  before: MapLine | null = null;
  after: MapLine | null = null;
  chained: MapLine | null = null;
  /** The mapping it belongs to, once that is known. */
  owner: LiveMapping | null = null;
  /** Domain by an invalidation that followed the mapping, -1 unknown. */
  domain = -1;
  /** The memory that it stands for, when it maps a bounce buffer. */
  bounced: BouncedRange | null = null;
  /** A device that has something else mapped at this address, so that it is not this one's. */
  notDevice = '';
  /** An unmap line that is not resolved and has this line as its only candidate. */
  claim: UnmapLine | null = null;
  /** The mapping that begins with this line. */
  announces: ReconstructedMapping | null = null;
  /** Unmapped, as a whole. */
  gone = false;

  constructor(of: MapLineOrigin, start: number, bytes: number, phys: number) {
    super(of.serial);
    this.state = of.state;
    this.line = of.line;
    this.at = of.at;
    this.cpu = of.cpu;
    this.context = of.context;
    this.start = start;
    this.end = start + bytes;
    this.phys = phys;
  }

  get task(): string {
    return this.context.task;
  }

  override settled(): boolean {
    return this.announces === null || this.state.deviceKnown(this.announces, this);
  }

  override emit(): void {
    if (this.announces === null) return;
    this.settled();
    this.state.announce(this.announces);
  }
}
