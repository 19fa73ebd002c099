// IoReconstruction: I/O as mappings, put together from trace events alone. Each iommu:map line is explained by a line of
// the DMA API in the same task, or stays open and belongs to a two-step transfer, whose end shows its extent.
// Source followed: the trace calls of kernel/dma/mapping.c and drivers/iommu/iommu.c and their order.
// Simplified: request boundaries are in no trace; markers are not looked at.

import type { TraceEvent } from '../trace-event.ts';
import { onAlloc, onAllocSgt, onMapSg, onMapSingle } from './api-maps.ts';
import { onFree, onUnmapSg, onUnmapSingle } from './api-unmaps.ts';
import { onFailedMap } from './failed-maps.ts';
import { decideUnmap, onBounceLine, onFlushLine, onMapLine, onUnmapLine } from './iommu-lines.ts';
import { findLiveAtEnd } from './live-at-end.ts';
import { MapLine } from './map-line.ts';
import type { QueueItem } from './output-queue.ts';
import { ReconstructionState } from './reconstruction-state.ts';
import { onSyncSg, onSyncSingle } from './sync-lines.ts';
import type { TraceContext } from './trace-context.ts';
import type { MappingSink } from './trace-finding.ts';
import { makeTransferByContiguity } from './transfers.ts';
import { UnmapLine } from './unmap-line.ts';

/**
 * Bounds of a reconstruction.
 * @public
 */
export interface ReconstructionOptions {
  /** Events that a line may wait for what explains it; 65,536 by default. */
  readonly lookAhead?: number;
  /** Mappings without an IOMMU that count as mapped at most, because nothing need end them; 65,536 by default. */
  readonly mostDirect?: number;
  /** Events that the kernel said were lost up to now, e.g. from the tally of the reader. */
  readonly lostSoFar?: () => number;
}

type LineHandler = (state: ReconstructionState, event: TraceEvent, context: TraceContext) => void;

const DEFAULT_BOUND = 65_536;
/** Events that an unmap line waits for the API line of its call, and how often that is looked after. */
const UNMAP_WAIT = 4096;
const CHECK_EVERY = 64;

const dmaHandlers: ReadonlyMap<string, LineHandler> = new Map<string, LineHandler>([
  ['dma_map_phys', onMapSingle],
  ['dma_map_page', onMapSingle],
  ['dma_map_resource', onMapSingle],
  ['dma_unmap_phys', onUnmapSingle],
  ['dma_unmap_page', onUnmapSingle],
  ['dma_unmap_resource', onUnmapSingle],
  ['dma_map_sg', onMapSg],
  ['dma_map_sg_err', onFailedMap],
  ['dma_unmap_sg', onUnmapSg],
  ['dma_alloc', onAlloc],
  ['dma_alloc_pages', onAlloc],
  ['dma_alloc_sgt', onAllocSgt],
  ['dma_alloc_sgt_err', onFailedMap],
  ['dma_free', onFree],
  ['dma_free_pages', onFree],
  ['dma_free_sgt', onFree],
  ['dma_sync_single_for_cpu', onSyncSingle],
  ['dma_sync_single_for_device', onSyncSingle],
  ['dma_sync_sg_for_cpu', onSyncSg],
  ['dma_sync_sg_for_device', onSyncSg],
]);

/**
 * Puts mappings together from the events of a trace and gives them to a sink: mapped, unmapped and findings, in the
 * order of the trace. A mapping is announced at its first line once it is understood, at the latest `lookAhead` events
 * later. Memory: what is mapped, and the look-ahead.
 * @public
 */
export class IoReconstruction {
  readonly #state: ReconstructionState;
  readonly #lookAhead: number;

  constructor(sink: MappingSink, options: ReconstructionOptions = {}) {
    this.#lookAhead = options.lookAhead ?? DEFAULT_BOUND;
    const decide = (item: QueueItem): void => decideOverdue(this.#state, item);
    const lost = options.lostSoFar ?? ((): number => 0);
    this.#state = new ReconstructionState(sink, decide, lost, options.mostDirect ?? DEFAULT_BOUND);
  }

  /** Takes the next event; the object may be reused. */
  accept(event: TraceEvent): void {
    const state = this.#state;
    state.serial += 1;
    if (event.system === 'dma') this.#acceptDma(event);
    else if (event.system === 'iommu') this.#acceptIommu(event);
    else if (event.system === 'swiotlb' && event.name === 'swiotlb_bounced') {
      onBounceLine(state, event, state.contexts.of(event.task, event.cpu));
    } else if (event.system === 'intel_iommu' && event.name.startsWith('cache_tag_flush_range')) {
      onFlushLine(state, event, state.contexts.of(event.task, event.cpu));
    }
    if (state.serial % CHECK_EVERY === 0) this.#decideWaiting(state.serial - UNMAP_WAIT);
    state.queue.drain(state.serial - this.#lookAhead);
  }

  /** Unmap lines before this event wait no longer for a line of their call. */
  #decideWaiting(before: number): void {
    const { pending } = this.#state;
    for (let unmap = pending.oldest; unmap !== null && unmap.serial < before; unmap = pending.oldest) {
      decideUnmap(this.#state, unmap);
    }
  }

  #acceptDma(event: TraceEvent): void {
    const handle = dmaHandlers.get(event.name);
    if (handle === undefined) return;
    const context = this.#state.contexts.of(event.task, event.cpu);
    handle(this.#state, event, context);
  }

  #acceptIommu(event: TraceEvent): void {
    const state = this.#state;
    if (event.name === 'map') onMapLine(state, event, state.contexts.of(event.task, event.cpu));
    else if (event.name === 'unmap') onUnmapLine(state, event, state.contexts.of(event.task, event.cpu));
    else if (event.name === 'add_device_to_group') {
      state.knowledge.joined(event.device, event.group, !state.lost);
    } else if (event.name === 'attach_device_to_domain' || event.name === 'detach_device_from_domain') {
      state.knowledge.attached(event.device);
    }
  }

  /** The trace is over: everything that waits is decided, and what is still mapped is found. */
  end(): void {
    const state = this.#state;
    state.serial += 1;
    state.ending = true;
    this.#decideWaiting(state.serial);
    state.queue.drain(Number.POSITIVE_INFINITY);
    findLiveAtEnd(state);
    state.queue.drain(Number.POSITIVE_INFINITY);
  }
}

/** The look-ahead is over for an item: nobody explains it. */
function decideOverdue(state: ReconstructionState, item: QueueItem): void {
  if (item instanceof MapLine) makeTransferByContiguity(state, item);
  else if (item instanceof UnmapLine) decideUnmap(state, item);
}
