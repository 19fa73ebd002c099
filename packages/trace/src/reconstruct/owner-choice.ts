// OwnerChoice: whose range an unmap line removes when no line of the DMA API says it. Mappings of different domains may
// have equal IOVAs; what is known narrows them down, rule by rule, and the rules that did are kept.
// Source followed: dma_unmap_phys traces after the unmapping, so that a single buffer's unmap line is followed by it;
// a two-step transfer's is not.
// Simplified: a rule that would leave nobody is left out.

import { continuedFrom } from './explain-lines.ts';
import type { MapLine } from './map-line.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';
import type { ReconstructionState } from './reconstruction-state.ts';
import type { UnmapLine } from './unmap-line.ts';

/** The line chosen, and the rules that were needed. */
export interface OwnerChoice {
  readonly line: MapLine | null;
  readonly rules: readonly ReconstructionRule[];
  /** Several were equally good, so that nothing else may be derived from the choice. */
  readonly isGuess: boolean;
}

const nobody: OwnerChoice = { line: null, rules: [], isGuess: false };

/** Lines that begin where an unmap line begins and are older; oldest first. */
export function candidatesOf(state: ReconstructionState, unmap: UnmapLine): MapLine[] {
  const candidates: MapLine[] = [];
  for (let line = state.lines.at(unmap.start); line !== null; line = line.chained) {
    if (line.start === unmap.start && line.serial < unmap.serial) candidates.push(line);
  }
  return candidates.length > 1 ? candidates.sort((a, b) => a.serial - b.serial) : candidates;
}

/** Chooses among the candidates. */
export function chooseOwner(state: ReconstructionState, unmap: UnmapLine): OwnerChoice {
  const candidates = candidatesOf(state, unmap).filter((line) => mayEndHere(state, unmap, line));
  const [first] = candidates;
  if (first === undefined) return nobody;
  if (candidates.length === 1) return { line: first, rules: [], isGuess: false };
  return narrow(state, unmap, candidates);
}

/**
 * A call of the DMA API unmaps all that it mapped and leaves a line, unless that line was lost, is not traced at all or
 * would come after the end of the trace.
 */
function mayEndHere(state: ReconstructionState, unmap: UnmapLine, { owner, end }: MapLine): boolean {
  if (owner === null || !endsWithApiLine(owner.traced.kind)) return true;
  const isWhole = end === unmap.end || owner.lines[owner.lines.length - 1]?.end === unmap.end;
  return isWhole && (state.lost || state.ending || !state.knowledge.unmapSeen);
}

function narrow(state: ReconstructionState, unmap: UnmapLine, candidates: MapLine[]): OwnerChoice {
  const rules: ReconstructionRule[] = [];
  let left = candidates;
  const keep = (rule: ReconstructionRule | null, test: (line: MapLine) => boolean): void => {
    if (left.length === 1) return;
    const kept = left.filter(test);
    if (kept.length === 0 || kept.length === left.length) return;
    left = kept;
    if (rule !== null) rules.push(rule);
  };
  keep(null, (line) => line.claim === null || line.claim === unmap || line.claim.ready);
  keep(null, ({ owner }) => owner === null || !owner.ended);
  keep('owner-by-domain-id', (line) => isOfDomain(state, unmap, line));
  keep('owner-by-task', ({ context }) => isOfTask(state, unmap, context.device));
  keep('owner-no-api-line', ({ owner }) => owner === null || !endsWithApiLine(owner.traced.kind));
  keep('owner-by-size', (line) => lastOf(line, -1) === unmap.end);
  keep('owner-by-size', (line) => lastOf(line, unmap.end) === unmap.end);
  keep('owner-by-size', (line) => line.end <= unmap.end);
  const isGuess = left.length > 1;
  if (isGuess) rules.push(state.lost ? 'owner-newest' : 'owner-oldest');
  const line = (state.lost ? left[left.length - 1] : left[0]) ?? null;
  return { line, rules, isGuess };
}

/** Where the mapping of a line ends, or the open lines of its task that continue it, up to an address (else -1). */
function lastOf(line: MapLine, until: number): number {
  const lines = line.owner?.lines ?? continuedFrom(line, until);
  return lines[lines.length - 1]?.end ?? line.end;
}

/** The invalidation names a domain whose device is known, and the task maps for that one. */
function isOfTask(state: ReconstructionState, unmap: UnmapLine, deviceOfTask: string): boolean {
  const device = unmap.domain < 0 ? '' : state.knowledge.deviceOf(unmap.domain);
  return device !== '' && device === deviceOfTask;
}

const endsWithApiLine = (kind: string): boolean => kind !== 'two-step' && kind !== 'iommu-api';

function isOfDomain(state: ReconstructionState, unmap: UnmapLine, line: MapLine): boolean {
  if (unmap.domain < 0) return false;
  if (line.domain >= 0) return line.domain === unmap.domain;
  const device = unmap.device === '' ? state.knowledge.deviceOf(unmap.domain) : unmap.device;
  return device !== '' && line.owner !== null && line.owner.traced.device === device;
}
