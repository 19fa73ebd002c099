// WorkLedger: the books of one run: which class of request cost what.
// Source followed: the project's stage report; all numbers come from samples of the machine's own counters.
// Simplified: none.

import { addOffset, type PhysAddr } from '@sgfree/hw-model';
import { type ClassReport, REPORT_CLASSES, type ReportClass } from './stage-report.ts';
import type { StackCommand, StackHooks, StorageStack } from './storage-stack.ts';
import { WorkMeter, type WorkSampler } from './work-counts.ts';

interface ClassTally {
  requests: number;
  bytes: number;
  segments: number;
  dmaRangesOut: number;
  trackingBytes: number;
}

/**
 * Books the work of a run; also the hooks a stack calls.
 * @internal
 */
export class WorkLedger implements StackHooks {
  /** Called for each mapped request, before the device sees it. */
  onMapped: ((kind: ReportClass, command: StackCommand) => void) | null = null;
  /** Called for each completed request, before it is unmapped. */
  onCompleted: ((kind: ReportClass, command: StackCommand) => void) | null = null;
  /** Pages that descriptor pools took. */
  poolPages = 0;
  /** The stack whose tracking memory is read; set once it exists. */
  stack: StorageStack | null = null;
  readonly #meter: WorkMeter<ReportClass | 'setup'>;
  readonly #tallies = new Map<ReportClass, ClassTally>();

  constructor(sample: WorkSampler) {
    this.#meter = new WorkMeter(sample);
    for (const kind of REPORT_CLASSES) {
      this.#tallies.set(kind, { requests: 0, bytes: 0, segments: 0, dmaRangesOut: 0, trackingBytes: 0 });
    }
  }

  map<T>(kind: ReportClass, stretch: () => T): T {
    const before = this.stack?.tracking.takenBytes ?? 0;
    const result = this.#meter.book(kind, stretch);
    this.#tally(kind).trackingBytes += (this.stack?.tracking.takenBytes ?? 0) - before;
    return result;
  }

  unmap<T>(kind: ReportClass, stretch: () => T): T {
    return this.#meter.book(kind, stretch);
  }

  setup<T>(stretch: () => T): T {
    return this.#meter.book('setup', stretch);
  }

  poolGrew(): void {
    this.poolPages += 1;
  }

  mapped(kind: ReportClass, command: StackCommand): void {
    const tally = this.#tally(kind);
    tally.requests += 1;
    tally.bytes += command.request.bytes;
    tally.segments += contiguousRuns(command);
    tally.dmaRangesOut += command.dmaRangesOut;
    this.onMapped?.(kind, command);
  }

  completed(kind: ReportClass, command: StackCommand): void {
    this.onCompleted?.(kind, command);
  }

  classReport(kind: ReportClass): ClassReport {
    return { ...this.#meter.booked(kind), ...this.#tally(kind) };
  }

  #tally(kind: ReportClass): ClassTally {
    return this.#tallies.get(kind) as ClassTally;
  }
}

function contiguousRuns(command: StackCommand): number {
  let runs = 0;
  let end: PhysAddr | null = null;
  for (const { phys, bytes } of command.request.vecs) {
    if (phys !== end) runs += 1;
    end = addOffset(phys, bytes);
  }
  return runs;
}
