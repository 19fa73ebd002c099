// Announcements: what is understood as soon as its line is read, and waits only for its turn.
// Followed: an end without an unmap line stands at the line that shows it; a finding at its own.
// Simplified: ranges of the IOMMU have items of their own, which wait to be understood.

import type { TracedUnmapping } from '../traced-mapping.ts';
import { QueueItem } from './output-queue.ts';
import type { ReconstructedMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { MappingSink, TraceFinding } from './trace-finding.ts';

/** A mapping without iommu:map lines. */
export class MappingAnnouncement extends QueueItem {
  readonly #state: ReconstructionState;
  readonly #mapping: ReconstructedMapping;

  constructor(serial: number, state: ReconstructionState, mapping: ReconstructedMapping) {
    super(serial);
    this.#state = state;
    this.#mapping = mapping;
    this.ready = true;
  }

  override emit(): void {
    this.#state.announce(this.#mapping);
  }
}

/** An end that no unmap line shows. */
export class EndAnnouncement extends QueueItem {
  readonly #sink: MappingSink;
  #mapping: ReconstructedMapping;
  readonly #end: TracedUnmapping;

  constructor(serial: number, sink: MappingSink, mapping: ReconstructedMapping, end: TracedUnmapping) {
    super(serial);
    this.#sink = sink;
    this.#mapping = mapping;
    this.#end = end;
    this.ready = true;
  }

  /** It is another mapping that ended. */
  retarget(mapping: ReconstructedMapping): void {
    this.#mapping = mapping;
  }

  override emit(): void {
    this.#sink.unmapped(this.#mapping, this.#end);
  }
}

/** A finding. */
export class FindingAnnouncement extends QueueItem {
  readonly #sink: MappingSink;
  readonly #finding: TraceFinding;

  constructor(serial: number, sink: MappingSink, finding: TraceFinding) {
    super(serial);
    this.#sink = sink;
    this.#finding = finding;
    this.ready = true;
  }

  override emit(): void {
    this.#sink.finding(this.#finding);
  }
}
