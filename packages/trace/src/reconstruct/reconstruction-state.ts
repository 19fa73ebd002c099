// ReconstructionState: what the parts of a reconstruction share: the lines that wait, the mappings that live, what is
// known of devices, and the way to the sink.
// Simplified: one state per trace; nothing of it is shared between traces.

import type { TraceEvent } from '../trace-event.ts';
import type { TracedUnmapping } from '../traced-mapping.ts';
import type { AddressEntry } from './address-entry.ts';
import { AddressIndex } from './address-index.ts';
import { EndAnnouncement, FindingAnnouncement, MappingAnnouncement } from './announcement.ts';
import { DeviceKnowledge } from './device-knowledge.ts';
import { DirectMappings } from './direct-mappings.ts';
import type { MapLine } from './map-line.ts';
import { OutputQueue, type QueueItem } from './output-queue.ts';
import { PendingUnmaps } from './pending-unmaps.ts';
import type { LiveMapping, MappedWhere, ReconstructedMapping } from './reconstructed-mapping.ts';
import { ContextTable, type TraceContext } from './trace-context.ts';
import type { MappingSink, TraceFinding, TraceFindingCode } from './trace-finding.ts';
import type { UnmapLine } from './unmap-line.ts';

/** What a finding is about. */
export interface FindingSubject {
  readonly device: string;
  readonly dmaAddr: number;
  readonly bytes: number;
  readonly mapping: ReconstructedMapping | null;
  /** True when the event would be wrong whatever happened before the trace began. */
  readonly certain: boolean;
}

/** Shared by the parts of one reconstruction. */
export class ReconstructionState {
  readonly sink: MappingSink;
  readonly queue: OutputQueue;
  readonly directMappings: DirectMappings;
  readonly knowledge: DeviceKnowledge = new DeviceKnowledge();
  readonly contexts: ContextTable = new ContextTable();
  /** Ranges that are mapped in an IOMMU, by IOVA. */
  readonly lines: AddressIndex<MapLine> = new AddressIndex<MapLine>();
  /** Mappings without iommu:map lines, by DMA address; lists, by their first physical address. */
  readonly byAddress: AddressIndex<AddressEntry> = new AddressIndex<AddressEntry>();
  readonly byPhys: AddressIndex<AddressEntry> = new AddressIndex<AddressEntry>();
  /** The trace is over: API lines may be missing because it was cut. */
  ending = false;
  /** Number of the event that is looked at. */
  serial = 0;
  /** Unmap lines whose owner is not known yet. */
  readonly pending: PendingUnmaps = new PendingUnmaps();
  readonly #lostSoFar: () => number;
  #nextId = 0;
  /** The mapping for which nothing could be inferred, and what was known then. */
  #undecided: ReconstructedMapping | null = null;
  #undecidedVersion = -1;

  constructor(
    sink: MappingSink,
    decide: (item: QueueItem) => void,
    lostSoFar: () => number,
    mostDirect: number,
  ) {
    this.sink = sink;
    this.queue = new OutputQueue(decide);
    this.#lostSoFar = lostSoFar;
    this.directMappings = new DirectMappings(this, mostDirect);
  }

  get lost(): boolean {
    return this.#lostSoFar() > 0;
  }

  /** True when the device of a mapping is known or was inferred now, from its first line. */
  deviceKnown(mapping: ReconstructedMapping, line: MapLine): boolean {
    if (mapping.device !== '') return true;
    if (this.#undecided === mapping && this.#undecidedVersion === this.knowledge.version) return false;
    this.#undecided = mapping;
    this.#undecidedVersion = this.knowledge.version;
    return this.knowledge.infer(mapping, line);
  }

  /** Gives a mapping to the sink. */
  announce(mapping: ReconstructedMapping): void {
    mapping.id = this.#nextId;
    this.#nextId += 1;
    if (mapping.kind === 'two-step' && !this.knowledge.dmaSeen) mapping.addRule('no-dma-events');
    this.sink.mapped(mapping);
  }

  /** Enters that a mapping ended, at the place of the present event. */
  announceEnd(live: LiveMapping, end: TracedUnmapping): EndAnnouncement {
    live.ended = true;
    const announcement = new EndAnnouncement(this.serial, this.sink, live.traced, end);
    this.queue.push(announcement);
    return announcement;
  }

  /** Enters a mapping at the place of the present event. */
  announceNow(mapping: ReconstructedMapping): void {
    this.queue.push(new MappingAnnouncement(this.serial, this, mapping));
  }

  /** Enters a finding at the place of the present event, or where an unmap line stands that waits. */
  find(
    code: TraceFindingCode,
    where: MappedWhere,
    subject: FindingSubject,
    text: string,
    at: UnmapLine | null = null,
  ): void {
    const { line, cpu, task } = where;
    const { device, dmaAddr, bytes, mapping } = subject;
    const confidence = subject.certain && !this.lost ? 'certain' : 'possible';
    const found = { code, confidence, line, at: where.at, cpu, task } as const;
    const finding: TraceFinding = { ...found, device, dmaAddr, bytes, mapping, text };
    if (at === null) this.queue.push(new FindingAnnouncement(this.serial, this.sink, finding));
    else at.addFinding(finding);
  }

  where(event: TraceEvent, context: TraceContext): MappedWhere {
    return { line: event.line, at: event.time, cpu: event.cpu, task: context.task };
  }
}
