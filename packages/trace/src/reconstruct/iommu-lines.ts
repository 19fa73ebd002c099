// IommuLines: the lines of the IOMMU core and of the invalidations behind them.
// Source followed: trace_map and trace_unmap in drivers/iommu/iommu.c (a failed mapping is a map line of what was done
// and an unmap line of that, both with size 0 when nothing was); the cache tags of drivers/iommu/intel/cache.c.
// Simplified: invalidations of a process address space (PASID) and of whole domains say nothing about one range.

import type { TraceEvent } from '../trace-event.ts';
import { meetsExpectation } from './expectation.ts';
import { MapLine } from './map-line.ts';
import { candidatesOf, chooseOwner } from './owner-choice.ts';
import { dropLine, resolveAsOwner } from './owner-removal.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import { SEVERAL_DEVICES, type TraceContext } from './trace-context.ts';
import { UnmapLine } from './unmap-line.ts';

/** Lines at one address beyond this many have lost their end. */
const MOST_AT_ONE_ADDRESS = 64;

/** iommu:map */
export function onMapLine(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  if (event.size <= 0 || event.dmaAddr < 0) return;
  const { line, time: at, cpu } = event;
  const origin = { state, serial: state.serial, line, at, cpu, context };
  const mapped = new MapLine(origin, event.dmaAddr, event.size, event.physAddr);
  mapped.bounced = context.bounced;
  context.bounced = null;
  state.lines.add(mapped);
  if (mapped.chained !== null) noteOtherDevice(mapped);
  context.addOpen(mapped);
  state.queue.push(mapped);
}

/** In one domain nothing can be mapped twice: what is mapped here already belongs to other devices. */
function noteOtherDevice(mapped: MapLine): void {
  for (let other = mapped.chained; other !== null; other = other.chained) {
    const { owner } = other;
    if (owner === null || owner.ended || other.claim !== null || owner.traced.deviceFrom !== 'recorded')
      continue;
    if (other.start < mapped.end && other.end > mapped.start) mapped.notDevice = owner.traced.device;
  }
}

/** swiotlb:swiotlb_bounced: the next map line of the context maps a copy of this memory. */
export function onBounceLine(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const { device, dmaAddr: phys, size: bytes } = event;
  if (device === '' || phys < 0) return;
  state.knowledge.ofDmaLine(device);
  context.bounced = { device, phys, bytes };
}

/** iommu:unmap */
export function onUnmapLine(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  if (event.size <= 0 || event.dmaAddr < 0) return;
  const unmap = new UnmapLine(state, event, context);
  state.queue.push(unmap);
  if (unmap.done < unmap.asked) findIncomplete(state, unmap, unmap.done);
  if (meetsExpectation(state, unmap, context)) return;
  state.pending.add(unmap);
  if (context.earlierPending !== null) decideUnmap(state, context.earlierPending);
  context.earlierPending = context.pending;
  context.pending = unmap;
  claimOnly(state, unmap);
}

/** While it waits, nobody else takes its only candidate. */
function claimOnly(state: ReconstructionState, unmap: UnmapLine): void {
  const newest = state.lines.at(unmap.start);
  if (newest === null) return;
  if (newest.chained === null) {
    const isFree = newest.claim === null || newest.claim.ready;
    if (newest.start === unmap.start && isFree) newest.claim = unmap;
    return;
  }
  const candidates = candidatesOf(state, unmap).filter(({ claim }) => claim === null || claim.ready);
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) only.claim = unmap;
  if (candidates.length > MOST_AT_ONE_ADDRESS && only !== undefined) forgetOldest(state, only);
}

function forgetOldest(state: ReconstructionState, line: MapLine): void {
  if (line.owner !== null) dropLine(state, line);
}

/** Decides an unmap line for which no API line came. */
export function decideUnmap(state: ReconstructionState, unmap: UnmapLine): void {
  if (unmap.ready) return;
  const { line, rules, isGuess } = chooseOwner(state, unmap);
  const removed = resolveAsOwner(state, unmap, line, rules, isGuess);
  if (removed === 0) findUnmapOfNothing(state, unmap);
  else if (removed < unmap.done) findIncomplete(state, unmap, removed);
}

/** It waits no more for a line of its context. */
export function leavePending(unmap: UnmapLine): void {
  const { context } = unmap;
  if (context.pending === unmap) {
    context.pending = context.earlierPending;
    context.earlierPending = null;
  } else if (context.earlierPending === unmap) context.earlierPending = null;
}

function deviceOf(state: ReconstructionState, { device, domain }: UnmapLine): string {
  return device === '' || device === SEVERAL_DEVICES ? state.knowledge.deviceOf(domain) : device;
}

function findUnmapOfNothing(state: ReconstructionState, unmap: UnmapLine): void {
  const device = deviceOf(state, unmap);
  state.find(
    'unmap-without-map',
    unmap,
    { device, dmaAddr: unmap.start, bytes: unmap.done, mapping: null, certain: false },
    'a range is unmapped in the IOMMU that the trace does not show as mapped',
    unmap,
  );
}

function findIncomplete(state: ReconstructionState, unmap: UnmapLine, bytes: number): void {
  state.find(
    'unmap-incomplete',
    unmap,
    {
      device: deviceOf(state, unmap),
      dmaAddr: unmap.start,
      bytes,
      mapping: null,
      certain: unmap.done < unmap.asked,
    },
    bytes === unmap.done
      ? `of ${unmap.asked} bytes to be unmapped only ${unmap.done} were`
      : `of ${unmap.done} bytes unmapped only ${bytes} are known as mapped`,
    unmap,
  );
}

/** cache_tag_flush_range and cache_tag_flush_range_np */
export function onFlushLine(state: ReconstructionState, event: TraceEvent, context: TraceContext): void {
  const { rangeStart, rangeLast, domainId } = event;
  if (domainId < 0 || event.pasid > 0 || rangeStart < 0 || rangeLast < 0) return;
  const domain = state.knowledge.domainKey(event.unit, domainId);
  if (event.name.endsWith('_np')) {
    noteMapDomain(context, domain, rangeStart, rangeLast);
    return;
  }
  const unmap = newestUnmapIn(context, rangeStart, rangeLast);
  if (unmap === null) return;
  unmap.domain = domain;
  if (event.type.endsWith('devtlb')) {
    unmap.device = unmap.device === '' || unmap.device === event.device ? event.device : SEVERAL_DEVICES;
  }
  if (context.named?.unmap === unmap) state.knowledge.learn(domain, context.named.device);
}

/** The unmap line that this invalidation follows: the newest one in its range. */
function newestUnmapIn(context: TraceContext, first: number, last: number): UnmapLine | null {
  let newest: UnmapLine | null = null;
  for (const unmap of [context.pending, context.earlierPending, context.named?.unmap]) {
    if (unmap === null || unmap === undefined || unmap.start < first || unmap.end - 1 > last) continue;
    if (newest === null || unmap.serial > newest.serial) newest = unmap;
  }
  return newest;
}

/** The invalidation behind a mapping names the domain of the open lines in its range. */
function noteMapDomain(context: TraceContext, domain: number, first: number, last: number): void {
  for (let line = context.newest; line !== null && line.domain < 0; line = line.before) {
    if (line.start < first || line.end - 1 > last) break;
    line.domain = domain;
  }
}
