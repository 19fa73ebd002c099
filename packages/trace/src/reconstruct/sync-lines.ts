// SyncLines: ownership changes of streaming mappings. They map nothing; they must lie inside a mapping of their device.
// Source followed: kernel/dma/debug.c, check_sync; two-step transfers are synced without a trace line.
// Simplified: a range is looked for by its first byte, and must end inside the same mapping.

import type { TraceEvent } from '../trace-event.ts';
import type { LiveMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';

/** dma_sync_single_for_cpu, dma_sync_single_for_device. */
export function onSyncSingle(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  state.knowledge.ofDmaLine(event.device);
  checkRange(state, event, context, event.dmaAddr, event.size);
}

/** dma_sync_sg_for_cpu, dma_sync_sg_for_device. */
export function onSyncSg(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  state.knowledge.ofDmaLine(event.device);
  for (const [at, dmaAddr] of event.dmaAddrs.entries()) {
    checkRange(state, event, context, dmaAddr, event.sizes[at] ?? 0);
  }
}

function checkRange(
  state: ReconstructionState,
  event: TraceEvent,
  context: TraceContext,
  dmaAddr: number,
  bytes: number,
): void {
  if (isMapped(state, event.device, dmaAddr, bytes)) return;
  const { fromStart } = state.knowledge.of(event.device);
  state.find(
    'sync-outside-mapping',
    state.where(event, context),
    { device: event.device, dmaAddr, bytes, mapping: null, certain: fromStart },
    `${event.name} of a range that is not mapped`,
  );
}

function isMapped(state: ReconstructionState, device: string, dmaAddr: number, bytes: number): boolean {
  const isOf = (live: LiveMapping): boolean =>
    !live.ended && (live.traced.device === device || live.traced.deviceFrom !== 'recorded');
  const end = dmaAddr + bytes;
  const covers = (first: number, last: number): boolean => first <= dmaAddr && last >= end;
  return (
    state.lines.containing(
      dmaAddr,
      ({ owner }) => owner === null || (isOf(owner) && inside(owner, dmaAddr, end)),
    ) !== null ||
    state.byAddress.containing(dmaAddr, ({ start, end: last, live }) => isOf(live) && covers(start, last)) !==
      null
  );
}

function inside({ traced, lines }: LiveMapping, dmaAddr: number, end: number): boolean {
  const last = lines[lines.length - 1];
  return traced.dmaAddr <= dmaAddr && last !== undefined && end <= last.end;
}
