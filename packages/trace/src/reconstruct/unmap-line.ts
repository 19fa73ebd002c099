// UnmapLine: one `iommu:unmap` line, waiting for the line that says whose range it was: `dma_unmap_phys` comes after it,
// `dma_unmap_sg` and `dma_free` before it, an invalidation between the two.
// Source followed: trace_unmap in drivers/iommu/iommu.c; the trace calls of kernel/dma/mapping.c.
// Simplified: a context keeps the last two unmap lines, so that one interrupt inside another call is followed.

import type { TraceEvent } from '../trace-event.ts';
import type { TracedUnmapping } from '../traced-mapping.ts';
import { QueueItem } from './output-queue.ts';
import type { LiveMapping, MappedWhere } from './reconstructed-mapping.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';
import type { TraceFinding } from './trace-finding.ts';

const noRules: readonly ReconstructionRule[] = [];
const noFindings: TraceFinding[] = [];

/** A range that was unmapped. */
export class UnmapLine extends QueueItem implements MappedWhere {
  readonly state: ReconstructionState;
  readonly start: number;
  /** Bytes asked for and bytes done. */
  readonly asked: number;
  readonly done: number;
  readonly line: number;
  readonly at: number;
  readonly cpu: number;
  readonly context: TraceContext;
  /** Domain and device of the invalidation behind it; -1 and empty when unknown. */
  domain = -1;
  device = '';
  /** Mappings that ended here, and the rules by which they were chosen. */
  readonly ended: LiveMapping[] = [];
  rules: readonly ReconstructionRule[] = noRules;
  #findings: TraceFinding[] = noFindings;
  /** Neighbours among those that wait. */
  older: UnmapLine | null = null;
  newer: UnmapLine | null = null;

  constructor(state: ReconstructionState, event: TraceEvent, context: TraceContext) {
    super(state.serial);
    this.state = state;
    this.line = event.line;
    this.at = event.time;
    this.cpu = event.cpu;
    this.context = context;
    this.start = event.dmaAddr;
    this.asked = event.size;
    this.done = event.unmappedSize;
  }

  get task(): string {
    return this.context.task;
  }

  /** First address behind what was unmapped. */
  get end(): number {
    return this.start + this.done;
  }

  /** What is wrong with it, to be said in its place. */
  addFinding(finding: TraceFinding): void {
    if (this.#findings === noFindings) this.#findings = [finding];
    else this.#findings.push(finding);
  }

  override emit(): void {
    const { line, at, cpu, task } = this;
    const end: TracedUnmapping =
      this.rules.length === 0 ? { line, at, cpu, task } : { line, at, cpu, task, rules: this.rules };
    for (const { traced } of this.ended) this.state.sink.unmapped(traced, end);
    for (const finding of this.#findings) this.state.sink.finding(finding);
  }
}
