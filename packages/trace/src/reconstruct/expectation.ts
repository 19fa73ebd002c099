// Expectation: an API line that comes before its unmap line (dma_unmap_sg, dma_free) and names whose range comes next.
// Source followed: kernel/dma/mapping.c traces these two before the unmapping; iommu_dma_unmap_sg removes a list with
// one unmap line, or a bounced one entry by entry.
// Simplified: a context keeps the last two, so that one interrupt between the two lines is followed.

import type { EndAnnouncement } from './announcement.ts';
import { continuedFrom } from './explain-lines.ts';
import { removeOwner, resolveAsOwner } from './owner-removal.ts';
import type { LiveMapping } from './reconstructed-mapping.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { TraceContext } from './trace-context.ts';
import type { UnmapLine } from './unmap-line.ts';
import { type EndingLine, makeUnnamed } from './unnamed-mapping.ts';

const noTwins: readonly LiveMapping[] = [];

/** What an API line says of the unmap line that comes next. */
export class Expectation {
  readonly ending: EndingLine;
  /** First physical address of a list, -1 otherwise. */
  readonly phys: number;
  /** The mapping that ends; null when the trace does not show it. */
  live: LiveMapping | null;
  /** Equal lists of the same device, one of which may be meant instead, and what announces the end. */
  twins: readonly LiveMapping[] = noTwins;
  announcement: EndAnnouncement | null = null;

  constructor(ending: EndingLine, phys: number, live: LiveMapping | null) {
    const { device, direction, dmaAddr, size } = ending;
    this.ending = { device, direction, dmaAddr, size };
    this.phys = phys;
    this.live = live;
  }
}

/** The next unmap line of a context is expected. */
export function expectUnmap(state: ReconstructionState, context: TraceContext, coming: Expectation): void {
  if (context.earlierExpecting !== null) dropExpectation(state, context.earlierExpecting);
  context.earlierExpecting = context.expecting;
  context.expecting = coming;
}

/** Its unmap line is not in the trace: what it ended is mapped no more. */
function dropExpectation(state: ReconstructionState, { announcement, live }: Expectation): void {
  if (announcement !== null) announcement.ready = true;
  if (live !== null) removeOwner(state, live, { line: 0, at: -1, cpu: -1, task: '' });
}

/** Decides an unmap line whose range an API line before named; false when none did. */
export function meetsExpectation(
  state: ReconstructionState,
  unmap: UnmapLine,
  context: TraceContext,
): boolean {
  const { expecting, earlierExpecting } = context;
  if (expecting !== null && meets(state, unmap, context, expecting)) return true;
  return earlierExpecting !== null && meets(state, unmap, context, earlierExpecting);
}

function meets(
  state: ReconstructionState,
  unmap: UnmapLine,
  context: TraceContext,
  expected: Expectation,
): boolean {
  if (expected.live === null) return meetsUnknown(state, unmap, context, expected);
  chooseTwin(state, expected, expected.live, unmap.start);
  const { live, announcement, ending } = expected;
  const line = live.lines.find(({ start, gone }) => start === unmap.start && !gone);
  if (line === undefined) return false;
  resolveAsOwner(state, unmap, line);
  context.named = { unmap, device: ending.device };
  if (announcement !== null) announcement.ready = true;
  if (live.remaining <= 0) leave(context, expected);
  return true;
}

const beginsAt = ({ lines }: LiveMapping, wanted: number): boolean =>
  lines.some(({ start, gone }) => start === wanted && !gone);

/** Of equal lists the one that begins at the unmap line is meant. */
function chooseTwin(
  state: ReconstructionState,
  expected: Expectation,
  live: LiveMapping,
  wanted: number,
): void {
  if (expected.twins.length === 0 || beginsAt(live, wanted)) return;
  const twin = expected.twins.find((other) => !other.ended && beginsAt(other, wanted));
  if (twin === undefined) return;
  live.ended = false;
  if (live.byPhys !== null) state.byPhys.add(live.byPhys);
  twin.ended = true;
  if (twin.byPhys !== null) state.byPhys.remove(twin.byPhys);
  expected.live = twin;
  expected.announcement?.retarget(twin.traced);
}

/** The API line said whose it was, so that it is nothing else that is known: it is older than the trace, or unnamed. */
function meetsUnknown(
  state: ReconstructionState,
  unmap: UnmapLine,
  context: TraceContext,
  expected: Expectation,
): boolean {
  const { ending, phys } = expected;
  const isNamed = ending.dmaAddr >= unmap.start && ending.dmaAddr < unmap.end;
  if (ending.dmaAddr >= 0 && !isNamed) return false;
  const first = state.lines.at(unmap.start);
  for (let line = first; line !== null && !isNamed; line = line.chained) {
    if (line.owner !== null || line.start !== unmap.start || !isSamePage(line.phys, phys)) continue;
    makeUnnamed(state, 'sg', ending, continuedFrom(line, unmap.end));
    resolveAsOwner(state, unmap, line, ['owner-by-line']);
    break;
  }
  if (!unmap.ready && !isNamed && first !== null) return false;
  leave(context, expected);
  context.named = { unmap, device: ending.device };
  unmap.ready = true;
  return true;
}

const PAGE = 4096;
const isSamePage = (a: number, b: number): boolean => Math.floor(a / PAGE) === Math.floor(b / PAGE);

function leave(context: TraceContext, expected: Expectation): void {
  if (context.expecting === expected) {
    context.expecting = context.earlierExpecting;
    context.earlierExpecting = null;
  } else if (context.earlierExpecting === expected) context.earlierExpecting = null;
}
