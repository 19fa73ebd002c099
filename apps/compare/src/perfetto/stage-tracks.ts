// StageTracks: one run on its tracks: the stage, the CPU with what the kernel does, the IOMMU, and a track a device.
// Source followed: the kinds of the model's event log: `hw:` hardware, `iommu:` and `intel_iommu:` the IOMMU and its driver, all others
// the kernel.
// Simplified: events of one clock step are drawn a nanosecond apart.

import { hex, type ModelEvent } from '@sgfree/hw-model';
import type { RecordedEvent } from './machine-recorder.ts';
import { STEP_NS } from './trace-time.ts';
import type { Annotations, TraceWriter, TrackId } from './trace-writer.ts';
import type { TracedRun } from './traced-runs.ts';

const IOMMU_KINDS = /^(iommu|intel_iommu|hw:iommu)/;
const ADDRESS_FIELDS = /^(iova|paddr|dmaAddr|physAddr|address|virtAddr)$/;
/** Most events that can be told apart within a step. */
const MOST_ORDER: number = STEP_NS - 1;

/** Draws one stage. */
export class StageTracks {
  readonly #writer: TraceWriter;
  readonly #run: TracedRun;
  readonly #from: number;
  readonly #stage: TrackId;
  readonly #cpu: TrackId;
  readonly #iommu: TrackId;
  readonly #mapped: TrackId;
  readonly #devices: ReadonlyMap<number, TrackId>;
  #mappedBytes = 0;
  #step = 0;
  #order = 0;

  /** @param from - where the stage begins, in nanoseconds */
  constructor(writer: TraceWriter, run: TracedRun, from: number) {
    const { stage, title } = run.report;
    this.#writer = writer;
    this.#run = run;
    this.#from = from;
    const group = writer.group(`stage ${stage}: ${title}`);
    this.#stage = writer.track('stage', group);
    this.#cpu = writer.track('CPU', group);
    this.#iommu = writer.track('IOMMU', group);
    this.#mapped = writer.byteCounter('IOMMU: bytes mapped', group);
    this.#devices = new Map(
      [...run.recorder.devices].map(([id, name]) => [id, writer.track(`device: ${name}`, group)]),
    );
  }

  /** Draws everything; where it ends, in nanoseconds. */
  draw(): number {
    const { report, recorder } = this.#run;
    const [writer, stage] = [this.#writer, this.#stage];
    const ends = this.#from + (report.clockSteps + 1) * STEP_NS;
    writer.begin(stage, this.#from, report.title, {
      'bytes verified': report.bytesVerified,
      'map calls': report.total.mapCalls,
      'table entries written': report.total.entriesWritten,
      invalidations: report.total.invalidationCommands,
      'struct page touched': report.total.structPagesTouched,
    });
    for (const recorded of recorder.events) this.#drawOne(recorded);
    writer.end(stage, ends);
    return ends;
  }

  #drawOne(recorded: RecordedEvent): void {
    const { event } = recorded;
    const at = this.#timeOf(recorded.step);
    if (event.kind === 'hw:request' || event.kind === 'hw:refused') this.#drawRequest(recorded);
    else if (event.kind === 'run:begin') this.#writer.begin(this.#cpu, at, String(event['what']));
    else if (event.kind === 'run:end') this.#writer.end(this.#cpu, at);
    else if (IOMMU_KINDS.test(event.kind)) this.#drawMapping(event, at);
    else this.#drawKernel(event, at);
  }

  /** A request takes the whole step that it is. */
  #drawRequest({ step, event }: RecordedEvent): void {
    const track = this.#devices.get(Number(event['requester']));
    if (track === undefined) return;
    const begins = this.#from + step * STEP_NS;
    const verb = event['write'] === true ? 'write' : 'read';
    const name = event.kind === 'hw:refused' ? `${verb} refused` : verb;
    this.#writer.begin(track, begins, name, annotationsOf(event, REQUEST_FIELDS));
    this.#writer.end(track, begins + STEP_NS);
  }

  #drawMapping(event: ModelEvent, at: number): void {
    this.#writer.instant(this.#iommu, at, event.kind, annotationsOf(event));
    if (event.kind === 'iommu:map') this.#mappedBytes += Number(event['size']);
    else if (event.kind === 'iommu:unmap') this.#mappedBytes -= Number(event['unmappedSize']);
    else return;
    this.#writer.count(this.#mapped, at, this.#mappedBytes);
  }

  /** Taking memory back takes time: it begins and ends. */
  #drawKernel(event: ModelEvent, at: number): void {
    if (event.kind === 'vfio:revoke-start') this.#writer.begin(this.#cpu, at, 'revoke', annotationsOf(event));
    else if (event.kind === 'vfio:revoked') this.#writer.end(this.#cpu, at);
    else this.#writer.instant(this.#cpu, at, event.kind, annotationsOf(event));
  }

  /** Later than everything before, and within the step. */
  #timeOf(step: number): number {
    this.#order = step === this.#step ? Math.min(MOST_ORDER, this.#order + 1) : 0;
    this.#step = step;
    return this.#from + step * STEP_NS + this.#order;
  }
}

const REQUEST_FIELDS: readonly string[] = ['address', 'bytes', 'route', 'status'];
const NO_FIELDS: readonly string[] = ['kind', 'step'];

/** What an event says, addresses in hexadecimal. */
function annotationsOf(event: ModelEvent, fields?: readonly string[]): Annotations {
  const named = fields ?? Object.keys(event).filter((field) => !NO_FIELDS.includes(field));
  return Object.fromEntries(named.map((field) => [field, annotation(field, event[field])]));
}

function annotation(field: string, value: unknown): number | string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  if (ADDRESS_FIELDS.test(field) && value >= 0) return hex(value);
  return Number.isInteger(value) && value >= 0 ? value : String(value);
}
