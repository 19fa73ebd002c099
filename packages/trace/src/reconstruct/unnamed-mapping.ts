// UnnamedMapping: a mapping whose API line is missing, although its iommu:map lines are there; the API line that ends it
// says afterwards what it was.
// Source followed: the lines of kernel/dma/mapping.c name device and direction when a mapping ends, too.
// Simplified: attributes of the mapping are not known; of a list only whole granules are.

import type { TraceEvent } from '../trace-event.ts';
import type { TracedMappingKind } from '../traced-mapping.ts';
import { ownLines } from './explain-lines.ts';
import type { MapLine } from './map-line.ts';
import { LiveMapping, ReconstructedMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';

/** What the API line that ends a mapping says of it. */
export type EndingLine = Pick<TraceEvent, 'device' | 'direction' | 'dmaAddr' | 'size'>;

/** Makes a mapping of open lines, contiguous in IOVA. A DMA address of -1: it is all that the lines map. */
export function makeUnnamed(
  state: ReconstructionState,
  kind: TracedMappingKind,
  { device, direction, dmaAddr, size }: EndingLine,
  lines: MapLine[],
): LiveMapping | null {
  const [first] = lines;
  const last = lines[lines.length - 1];
  if (first === undefined || last === undefined) return null;
  const traced = new ReconstructedMapping(kind, first);
  traced.device = device;
  traced.deviceFrom = 'inferred';
  traced.direction = direction;
  traced.directionFrom = direction === '' ? 'unknown' : 'inferred';
  traced.dmaAddr = dmaAddr < 0 ? first.start : dmaAddr;
  traced.bytes = dmaAddr < 0 ? last.end - first.start : size;
  traced.bytesFrom = 'inferred';
  addPieces(traced, lines);
  traced.addRule('owner-by-line');
  if (dmaAddr < 0) traced.addRule('granule-ends');
  if (state.lost) traced.addRule('lost-events');
  const live = new LiveMapping(traced);
  ownLines(state, live, lines);
  return live;
}

function addPieces(traced: ReconstructedMapping, lines: readonly MapLine[]): void {
  const end = traced.dmaAddr + traced.bytes;
  for (const line of lines) {
    const from = Math.max(line.start, traced.dmaAddr);
    const to = Math.min(line.end, end);
    if (from < to) traced.addPiece(from, line.phys + (from - line.start), to - from);
  }
}
