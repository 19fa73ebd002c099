// TraceFinding: something in a trace that does not fit together: leaks, unmappings of nothing, errors that the trace
// shows. Rules followed: what kernel/dma/debug.c warns of, as far as a trace shows it.
// Simplified: a trace that begins while devices run, or has lost events, makes most findings possible, not certain.

import type { TracedMapping, TracedUnmapping } from '../traced-mapping.ts';

/**
 * What was found; stable codes.
 *
 * - `map-failed`: a mapping or allocation that returned an error.
 * - `unmap-without-map`: an unmapping of something that is not mapped.
 * - `unmap-incomplete`: an `iommu:unmap` line that removes less than it asks for, or more than was mapped.
 * - `unmap-size-differs`, `direction-differs`: a call whose size or direction is not that of the mapping.
 * - `free-without-alloc`: coherent memory freed that was not allocated.
 * - `double-map`: a device maps an address that it has mapped already.
 * - `sync-outside-mapping`: a sync of a range that is not mapped.
 * - `live-at-end`: a mapping that the trace never undoes.
 * @public
 */
export type TraceFindingCode =
  | 'map-failed'
  | 'unmap-without-map'
  | 'unmap-incomplete'
  | 'unmap-size-differs'
  | 'direction-differs'
  | 'free-without-alloc'
  | 'double-map'
  | 'sync-outside-mapping'
  | 'live-at-end';

/**
 * One finding.
 * @public
 */
export interface TraceFinding {
  readonly code: TraceFindingCode;
  /** `certain` when the trace alone proves it: nothing was lost, and the device is traced since it was found. */
  readonly confidence: 'certain' | 'possible';
  /** Line, time (nanoseconds, -1 unknown), CPU and task of the event that shows it. */
  readonly line: number;
  readonly at: number;
  readonly cpu: number;
  readonly task: string;
  /** The device, empty when nothing names it. */
  readonly device: string;
  /** DMA address, -1 when there is none. */
  readonly dmaAddr: number;
  readonly bytes: number;
  /** The mapping concerned, when there is one. */
  readonly mapping: TracedMapping | null;
  /** One sentence for people. */
  readonly text: string;
}

/**
 * Takes what a reconstruction finds, in the order of the trace.
 * @public
 */
export interface MappingSink {
  /** A mapping was made. The object does not change any more. */
  mapped(mapping: TracedMapping): void;
  /** A mapping that was announced before has ended. */
  unmapped(mapping: TracedMapping, end: TracedUnmapping): void;
  finding(finding: TraceFinding): void;
}
