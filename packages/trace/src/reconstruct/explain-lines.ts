// Which open iommu:map lines a line of the DMA API explains: the newest ones of its context that cover its range, one
// for a single buffer, one per physical run for a list or an allocation, all contiguous in IOVA and ascending.
// Source followed: iommu_dma_map_phys, iommu_dma_map_sg and iommu_dma_alloc map first and trace afterwards.
// Simplified: the search goes back through a bounded number of calls.

import type { MapLine } from './map-line.ts';
import type { LiveMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';

/** The lines of one call follow each other; so many calls that were interrupted are looked through. */
const CALLS_LOOKED_THROUGH = 8;

/** The newest open line of a context that contains an address; with physical address `phys` there unless it is -1. */
export function openLineAt(context: TraceContext, dma: number, phys: number): MapLine | null {
  let calls = 0;
  for (let line = context.newest; line !== null && calls < CALLS_LOOKED_THROUGH; line = line.before) {
    if (line.start <= dma && line.end > dma && (phys < 0 || line.phys + (dma - line.start) === phys))
      return line;
    if (line.before !== null && line.before.end !== line.start) calls += 1;
  }
  return null;
}

/** A line and the newer ones of its context that continue it, up to an address where that is known (else -1). */
export function continuedFrom(first: MapLine, until: number): MapLine[] {
  const lines = [first];
  let { end } = first;
  for (let next = first.after; next !== null && (until < 0 || end < until); next = next.after) {
    if (next.start !== end) break;
    lines.push(next);
    end = next.end;
  }
  return lines;
}

/** Gives open lines to a mapping: they are open no more, and the first of them in the trace announces it. */
export function ownLines(state: ReconstructionState, live: LiveMapping, lines: MapLine[]): void {
  let earliest = lines[0];
  for (const line of lines) {
    line.context.removeOpen(line);
    line.owner = live;
    line.ready = true;
    live.remaining += line.end - line.start;
    if (earliest !== undefined && line.serial < earliest.serial) earliest = line;
    if (line.domain >= 0 && live.traced.deviceFrom === 'recorded') {
      state.knowledge.learn(line.domain, live.traced.device);
    }
  }
  live.lines = lines;
  if (earliest !== undefined) earliest.announces = live.traced;
  for (const line of lines) if (line !== earliest) state.queue.forget(line);
}
