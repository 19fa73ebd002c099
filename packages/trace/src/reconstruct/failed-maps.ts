// FailedMaps: a mapping that returned an error. Behind an IOMMU its lines come first: a map line of the part that was
// done and an unmap line of it; they are no mapping.
// Source followed: the error paths of iommu_map and iommu_map_sg; dma_map_phys traces a failure with all ones,
// dma_map_sg with a line of its own, an allocation with a pointer of zero.
// Simplified: an expected failure of dma_map_sg has no line, so that what it did looks like a short two-step transfer.

import type { TraceEvent } from '../trace-event.ts';
import { leavePending } from './iommu-lines.ts';
import type { MapLine } from './map-line.ts';
import { forgetLines } from './owner-removal.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';
import type { UnmapLine } from './unmap-line.ts';

/** A line of the DMA API that reports a failure. */
export function onFailedMap(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const { pending, earlierPending } = context;
  if (earlierPending !== null) forgetPart(state, event, context, earlierPending);
  if (pending !== null) forgetPart(state, event, context, pending);
  state.find(
    'map-failed',
    state.where(event, context),
    { device: event.device, dmaAddr: -1, bytes: event.size, mapping: null, certain: true },
    `${event.name} failed${event.code === 0 ? '' : ` with ${event.code}`}`,
  );
}

/** An unmap line that undid what the failed call had mapped: the run that failed, or the runs before it. */
function forgetPart(
  state: ReconstructionState,
  event: TraceEvent,
  context: TraceContext,
  unmap: UnmapLine,
): void {
  if (unmap.ready) return;
  const lines = newestLinesIn(context, unmap.start, unmap.end);
  if (!lines.every((line) => mayBeOf(event, line)) || lines.length === 0) return;
  forgetLines(state, lines);
  unmap.ready = true;
  state.pending.remove(unmap);
  leavePending(unmap);
}

const PAGE = 4096;

/** A line names the memory of the call, or a bounce buffer; an allocation does not say where it lies. */
function mayBeOf({ physAddr, physAddrs, name }: TraceEvent, { phys, end, start, bounced }: MapLine): boolean {
  const isInside = (address: number): boolean =>
    address >= phys && address < phys + Math.max(end - start, PAGE);
  if (bounced !== null || name.startsWith('dma_alloc')) return true;
  return name === 'dma_map_sg_err' ? physAddrs.some(isInside) : isInside(physAddr);
}

/** The newest open lines of a context, when all of a range is theirs. */
function newestLinesIn(context: TraceContext, start: number, end: number): MapLine[] {
  const lines: MapLine[] = [];
  for (let line = context.newest; line !== null; line = line.before) {
    if (line.start < start || line.end > end) break;
    lines.push(line);
    if (line.start === start) return lines;
  }
  return [];
}
