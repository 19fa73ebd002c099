// OwnerRemoval: what one unmap line, or the end of a mapping otherwise, takes out of the indexes.
// Source followed: iommu_unmap removes a range whatever calls made it; VFIO unmaps parts and several maps at once.
// Simplified: a line that is cut in its middle leaves two ranges of one mapping.

import type { TracedUnmapping } from '../traced-mapping.ts';
import { MapLine } from './map-line.ts';
import type { LiveMapping } from './reconstructed-mapping.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import { makeTransfer } from './transfers.ts';
import type { UnmapLine } from './unmap-line.ts';

/** Takes a mapping out as a whole, and announces its end where that was not done. */
export function removeOwner(state: ReconstructionState, live: LiveMapping, end: TracedUnmapping): void {
  for (const line of live.lines) if (line.owner === live) dropLine(state, line);
  if (live.byAddress !== null) state.byAddress.remove(live.byAddress);
  if (live.byPhys !== null) state.byPhys.remove(live.byPhys);
  state.directMappings.drop(live);
  live.remaining = 0;
  if (!live.ended) state.announceEnd(live, end);
}

/** A line is mapped no more. */
export function dropLine(state: ReconstructionState, line: MapLine): void {
  if (line.gone) return;
  line.gone = true;
  state.lines.remove(line);
  if (line.owner === null) line.context.removeOpen(line);
  line.claim = null;
}

/** Lines whose mapping failed half way: they were never one. */
export function forgetLines(state: ReconstructionState, lines: readonly MapLine[]): void {
  for (const line of lines) {
    dropLine(state, line);
    line.ready = true;
    state.queue.forget(line);
  }
}

/** Decides an unmap line: it removed the range that begins with this line. */
export function resolveAsOwner(
  state: ReconstructionState,
  unmap: UnmapLine,
  first: MapLine | null,
  rules: readonly ReconstructionRule[] = [],
  isGuess = false,
): number {
  unmap.rules = rules;
  const lines =
    first === null ? linesInside(state, unmap, unmap.start, null) : linesFrom(state, unmap, first);
  const open = openOf(lines, unmap);
  if (open.length > 0) makeTransfer(state, open, 'two-step-by-unmap', isGuess ? null : unmap);
  if (first === null && lines.length > 0) unmap.rules = ['owner-inside'];
  let removed = 0;
  for (const line of lines) removed += removePart(state, unmap, line);
  unmap.ready = true;
  state.pending.remove(unmap);
  learnDomain(state, unmap);
  return removed;
}

const noLines: MapLine[] = [];

/** Lines that no API line explains and that an unmap line removes as a whole. */
function openOf(lines: MapLine[], unmap: UnmapLine): MapLine[] {
  if (lines.length === 1 && lines[0]?.owner !== null) return noLines;
  return lines.filter((line) => line.owner === null && line.end <= unmap.end && line.start >= unmap.start);
}

/** The domain of an invalidation belongs to the device whose range it was. */
function learnDomain(state: ReconstructionState, unmap: UnmapLine): void {
  if (unmap.domain < 0) return;
  for (const { traced } of unmap.ended) {
    if (traced.deviceFrom === 'recorded') state.knowledge.learn(unmap.domain, traced.device);
  }
}

function linesFrom(state: ReconstructionState, unmap: UnmapLine, first: MapLine): MapLine[] {
  return first.end >= unmap.end ? [first] : [first, ...linesInside(state, unmap, first.end, first)];
}

/** The lines that an unmap removes from an address on: each continues the one before where it can. */
function linesInside(
  state: ReconstructionState,
  unmap: UnmapLine,
  from: number,
  previous: MapLine | null,
): MapLine[] {
  const lines: MapLine[] = [];
  const earlier = (line: MapLine): boolean =>
    line.serial < unmap.serial && (previous !== null || !byApi(line));
  let before = previous;
  for (let at = from; at < unmap.end; ) {
    const next =
      before === null ? state.lines.containing(at, earlier) : continuation(state, unmap, before, at);
    if (next !== null) {
      lines.push(next);
      before = next;
      at = next.end;
    } else {
      at = state.lines.nextStart(at + 1, unmap.end, (line) => earlier(line) && belongsWith(line, before));
      if (at < 0) break;
    }
  }
  return lines;
}

const byApi = ({ owner }: MapLine): boolean =>
  owner !== null && owner.traced.kind !== 'two-step' && owner.traced.kind !== 'iommu-api';

/** Lines that one unmap may remove together. */
function belongsWith(line: MapLine, other: MapLine | null): boolean {
  return other === null || line.owner === other.owner || (!byApi(line) && !byApi(other));
}

/** The line at an address that belongs with the one before: of the same mapping, else of the same context, else near. */
function continuation(
  state: ReconstructionState,
  unmap: UnmapLine,
  before: MapLine,
  at: number,
): MapLine | null {
  let best: MapLine | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (let line = state.lines.at(at); line !== null; line = line.chained) {
    if (line.start !== at || line.serial >= unmap.serial || !belongsWith(line, before)) continue;
    const rank =
      (line.owner === before.owner ? 0 : 2 ** 50) +
      (line.context === before.context ? 0 : 2 ** 49) +
      Math.abs(line.serial - before.serial);
    if (rank >= bestRank) continue;
    best = line;
    bestRank = rank;
  }
  return best;
}

/** Takes the part of a line that an unmap removes; the bytes removed. */
function removePart(state: ReconstructionState, unmap: UnmapLine, line: MapLine): number {
  const owner = line.owner ?? makeTransfer(state, [line], 'two-step-by-contiguity', null);
  const from = Math.max(line.start, unmap.start);
  const to = Math.min(line.end, unmap.end);
  dropPart(state, owner, line, from, to);
  owner.remaining -= to - from;
  if (owner.remaining <= 0 && !owner.ended) {
    owner.ended = true;
    unmap.ended.push(owner);
  }
  if (owner.remaining <= 0) owner.forgetLines();
  return to - from;
}

function dropPart(
  state: ReconstructionState,
  owner: LiveMapping,
  line: MapLine,
  from: number,
  to: number,
): void {
  const { start, end, phys } = line;
  dropLine(state, line);
  if (start < from) keepRest(state, owner, line, start, from - start, phys);
  if (to < end) keepRest(state, owner, line, to, end - to, phys + (to - start));
}

/** What stays of a line is a range of its own; it has nothing to announce. */
function keepRest(
  state: ReconstructionState,
  owner: LiveMapping,
  of: MapLine,
  start: number,
  bytes: number,
  phys: number,
): void {
  const rest = new MapLine(of, start, bytes, phys);
  rest.owner = owner;
  rest.domain = of.domain;
  owner.lines.push(rest);
  state.lines.add(rest);
}
