// ApiUnmaps: the lines of the DMA API that end mappings.
// Source followed: kernel/dma/mapping.c: dma_unmap_phys traces after the unmapping, dma_unmap_sg and dma_free before it;
// dma_unmap_sg lists physical addresses, those of the list that was mapped.
// Simplified: a list is recognised by its device and its first physical address.

import type { TraceEvent } from '../trace-event.ts';
import type { TracedUnmapping } from '../traced-mapping.ts';
import { Expectation, expectUnmap } from './expectation.ts';
import { continuedFrom } from './explain-lines.ts';
import { leavePending } from './iommu-lines.ts';
import { listKey } from './list-key.ts';
import { candidatesOf } from './owner-choice.ts';
import { removeOwner, resolveAsOwner } from './owner-removal.ts';
import type { LiveMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';
import type { UnmapLine } from './unmap-line.ts';
import { makeUnnamed } from './unnamed-mapping.ts';

/** dma_unmap_phys, dma_unmap_page, dma_unmap_resource. */
export function onUnmapSingle(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  noteUnmap(state, event);
  const unmap = pendingAt(context, event.dmaAddr);
  const live =
    unmap === null ? endByAddress(state, event, context) : endByUnmapLine(state, unmap, event, context);
  if (live === null) {
    findUnmapWithoutMap(state, event, context, 'unmap-without-map');
    return;
  }
  checkDirection(state, event, context, live);
  checkSize(state, event, context, live);
}

function noteUnmap({ knowledge }: ReconstructionState, event: TraceEvent): void {
  knowledge.ofDmaLine(event.device);
  knowledge.unmapSeen = true;
}

function pendingAt(context: TraceContext, dma: number): UnmapLine | null {
  for (const unmap of [context.pending, context.earlierPending]) {
    if (unmap !== null && unmap.start <= dma && unmap.end > dma) return unmap;
  }
  return null;
}

/** The unmap line before belongs to this device: its mapping at this address ends there. */
function endByUnmapLine(
  state: ReconstructionState,
  unmap: UnmapLine,
  event: TraceEvent,
  context: TraceContext,
): LiveMapping | null {
  if (unmap.ready) return alreadyEnded(unmap, event) ?? endByAddress(state, event, context);
  const candidates = candidatesOf(state, unmap);
  const mine = candidates.filter(({ owner }) => owner !== null && owner.traced.device === event.device);
  const line = mine.find(({ owner }) => owner?.traced.dmaAddr === event.dmaAddr) ?? mine[mine.length - 1];
  const open = candidates.filter(({ owner }) => owner === null);
  leavePending(unmap);
  if (line !== undefined) {
    resolveAsOwner(state, unmap, line, candidates.length > 1 ? ['owner-by-line'] : []);
    return line.owner;
  }
  if (open[0] !== undefined) {
    const unnamed = makeUnnamed(state, 'phys', event, [open[0]]);
    resolveAsOwner(state, unmap, open[0], ['owner-by-line']);
    return unnamed;
  }
  unmap.ready = true;
  state.pending.remove(unmap);
  return endByAddress(state, event, context);
}

/** Whose unmap line it was had shown before, or had been decided because this line came late. */
function alreadyEnded(unmap: UnmapLine, event: TraceEvent): LiveMapping | null {
  leavePending(unmap);
  const isMine = ({ traced }: LiveMapping): boolean =>
    traced.device === event.device && traced.dmaAddr === event.dmaAddr;
  return unmap.ended.find(isMine) ?? null;
}

function endOf(state: ReconstructionState, event: TraceEvent, context: TraceContext): TracedUnmapping {
  return state.where(event, context);
}

/** No unmap line: the mapping is found by its device and address. */
function endByAddress(
  state: ReconstructionState,
  event: TraceEvent,
  context: TraceContext,
): LiveMapping | null {
  for (let entry = state.byAddress.at(event.dmaAddr); entry !== null; entry = entry.chained) {
    const { live } = entry;
    if (entry.start === event.dmaAddr && live.traced.device === event.device) {
      endUntranslated(state, live, endOf(state, event, context));
      return live;
    }
  }
  const line = state.lines.containing(
    event.dmaAddr,
    ({ owner }) =>
      owner !== null &&
      !owner.ended &&
      owner.traced.device === event.device &&
      owner.traced.dmaAddr === event.dmaAddr,
  );
  if (line === null || line.owner === null) return null;
  const { owner } = line;
  removeOwner(state, owner, endOf(state, event, context));
  return owner;
}

/** A mapping without iommu:map lines ends; earlier ones of its address that nothing ended may follow. */
function endUntranslated(state: ReconstructionState, live: LiveMapping, end: TracedUnmapping): void {
  if (live.ghosts === 0 || !live.held) {
    removeOwner(state, live, end);
    return;
  }
  live.ghosts -= 1;
  if (!live.ended) state.announceEnd(live, end);
  else if (live.ghosts === 0) removeOwner(state, live, end);
}

function findUnmapWithoutMap(
  state: ReconstructionState,
  event: TraceEvent,
  context: TraceContext,
  code: 'unmap-without-map' | 'free-without-alloc',
): void {
  const { fromStart } = state.knowledge.of(event.device);
  state.find(
    code,
    state.where(event, context),
    { device: event.device, dmaAddr: event.dmaAddr, bytes: event.size, mapping: null, certain: fromStart },
    fromStart
      ? `${event.name} of something that is not mapped`
      : `${event.name} of something that the trace does not show as mapped; it may be older than the trace`,
  );
}

function checkDirection(
  state: ReconstructionState,
  event: TraceEvent,
  context: TraceContext,
  { traced }: LiveMapping,
): void {
  if (event.direction === traced.direction || event.direction === '' || traced.directionFrom !== 'recorded')
    return;
  const { device, dmaAddr, size: bytes } = event;
  const subject = { device, dmaAddr, bytes, mapping: traced, certain: true };
  const text = `${event.name} with ${event.direction}, mapped with ${traced.direction}`;
  state.find('direction-differs', state.where(event, context), subject, text);
}

function checkSize(
  state: ReconstructionState,
  event: TraceEvent,
  context: TraceContext,
  { traced }: LiveMapping,
): void {
  if (event.size === traced.bytes || traced.bytesFrom !== 'recorded') return;
  const { device, dmaAddr, size: bytes } = event;
  const subject = { device, dmaAddr, bytes, mapping: traced, certain: true };
  const text = `${event.name} of ${event.size} bytes, mapped were ${traced.bytes}`;
  state.find('unmap-size-differs', state.where(event, context), subject, text);
}

/** dma_unmap_sg: the unmap line, if there is one, comes next. */
export function onUnmapSg(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  noteUnmap(state, event);
  const lists = liveLists(state, event);
  const [live] = lists;
  if (live === undefined) {
    findUnmapWithoutMap(state, event, context, 'unmap-without-map');
    expectUnmap(state, context, new Expectation(event, event.physAddrs[0] ?? -1, null));
    return;
  }
  checkDirection(state, event, context, live);
  endAnnounced(state, live, event, context, lists.slice(1));
}

/** The lists of a device that may be meant, oldest first: those of the same memory, else the newest with its beginning. */
function liveLists(state: ReconstructionState, event: TraceEvent): LiveMapping[] {
  const first = event.physAddrs[0] ?? -1;
  const found: LiveMapping[] = [];
  for (let entry = state.byPhys.at(first); entry !== null; entry = entry.chained) {
    if (entry.start === first && entry.live.traced.device === event.device) found.push(entry.live);
  }
  if (found.length < 2) return found;
  const key = listKey(event.physAddrs, event.physAddrs.length);
  const same = found.filter(({ list }) => list === key);
  return same.length === 0 ? found.slice(0, 1) : same.reverse();
}

/** The line before the unmap line: the mapping ends, its lines wait for the unmap line. */
function endAnnounced(
  state: ReconstructionState,
  live: LiveMapping,
  event: TraceEvent,
  context: TraceContext,
  twins: readonly LiveMapping[],
): void {
  const end = endOf(state, event, context);
  if (live.byPhys !== null) state.byPhys.remove(live.byPhys);
  if (live.lines.length === 0) {
    endUntranslated(state, live, end);
    return;
  }
  const coming = new Expectation(event, -1, live);
  if (!live.ended) coming.announcement = state.announceEnd(live, end);
  if (twins.length > 0 && coming.announcement !== null) {
    coming.twins = twins;
    coming.announcement.ready = false;
  }
  expectUnmap(state, context, coming);
}

/** dma_free, dma_free_pages, dma_free_sgt. */
export function onFree(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  noteUnmap(state, event);
  const live = allocation(state, event) ?? unnamedAllocation(state, event);
  if (live === null) {
    findUnmapWithoutMap(state, event, context, 'free-without-alloc');
    expectUnmap(state, context, new Expectation(event, -1, null));
    return;
  }
  checkSize(state, event, context, live);
  endAnnounced(state, live, event, context, []);
}

/** Map lines that nothing explained lie where this call frees. */
function unnamedAllocation(state: ReconstructionState, event: TraceEvent): LiveMapping | null {
  if (event.dmaAddr < 0) return null;
  for (let line = state.lines.at(event.dmaAddr); line !== null; line = line.chained) {
    if (line.owner !== null || line.start !== event.dmaAddr || line.claim !== null) continue;
    const lines = continuedFrom(line, event.dmaAddr + event.size);
    const end = lines[lines.length - 1]?.end ?? 0;
    if (end - Math.max(event.size, 1) - line.start < PAGE)
      return makeUnnamed(state, 'coherent', event, lines);
  }
  return null;
}

const PAGE = 4096;

function allocation(state: ReconstructionState, event: TraceEvent): LiveMapping | null {
  const isMine = ({ traced, ended }: LiveMapping): boolean =>
    traced.kind === 'coherent' &&
    !ended &&
    traced.device === event.device &&
    traced.dmaAddr === event.dmaAddr;
  for (let entry = state.byAddress.at(event.dmaAddr); entry !== null; entry = entry.chained) {
    if (isMine(entry.live)) return entry.live;
  }
  const line = state.lines.containing(event.dmaAddr, ({ owner }) => owner !== null && isMine(owner));
  return line === null ? null : line.owner;
}
