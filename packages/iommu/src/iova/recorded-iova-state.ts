// RecordedIovaState: an allocator as it was found on a real machine, and how a domain is put into that state.
// Source followed: the header fields iova_tree, c32, c, m32 and rcache of the recorded suites (vectors/kernel/README.md).
// Ranges that are in no cache belong to nobody who could free them: they count as reserved.
// Simplified: depots are empty in every record, so their contents have no place here.

import { InternalError } from '@sgfree/hw-model';
import type { IovaDomain } from './iova-domain.ts';
import type { IovaRange } from './iova-range.ts';
import { IOVA_ANCHOR } from './range-index.ts';

/**
 * The magazines of one CPU and size class, bottom to top; null = none yet.
 * @internal
 */
export interface RecordedMagazines {
  readonly cpu: number;
  readonly order: number;
  readonly loaded: readonly number[] | null;
  readonly prev: readonly number[] | null;
  /** Magazines in the depot; must be 0. */
  readonly depot?: number;
}

/**
 * The state of an allocator; frames in granules, null = the end anchor.
 * @internal
 */
export interface RecordedIovaState {
  readonly ranges: readonly IovaRange[];
  readonly cached: number | null;
  readonly cached32: number | null;
  readonly max32: number;
  readonly rcache: readonly RecordedMagazines[];
}

/**
 * Puts a fresh domain into a recorded state. Throws {@link @sgfree/hw-model#InternalError} when the domain is not fresh, lacks the caches, or
 * the state contradicts itself.
 * @internal
 */
export function restoreIovaState(iovad: IovaDomain, state: RecordedIovaState): void {
  const { tree } = iovad;
  if (tree.size !== 0) throw new InternalError('only a fresh IOVA domain can be put into a recorded state');
  const cached = new Set(state.rcache.flatMap(({ loaded, prev }) => [...(loaded ?? []), ...(prev ?? [])]));
  for (const [lo, hi] of state.ranges) {
    if (tree.find(lo) !== null || tree.find(hi) !== null) throw new InternalError(`range at ${lo} overlaps`);
    if (cached.has(lo)) tree.insertOwned(lo, hi);
    else tree.insertReserved(lo, hi);
  }
  for (const cursor of [state.cached, state.cached32]) {
    if (cursor !== null && tree.find(cursor)?.[0] !== cursor) {
      throw new InternalError(`no range starts at the remembered node ${cursor}`);
    }
  }
  tree.restoreSearch(state.cached ?? IOVA_ANCHOR, state.cached32 ?? IOVA_ANCHOR, state.max32);
  restoreCaches(iovad, state.rcache);
}

function restoreCaches(iovad: IovaDomain, recorded: readonly RecordedMagazines[]): void {
  if (recorded.length === 0) return;
  const { rcaches, tree } = iovad;
  if (rcaches === null) throw new InternalError('the domain has no range caches');
  for (const { cpu, order, loaded, prev, depot = 0 } of recorded) {
    if (depot !== 0) throw new InternalError('the contents of a depot are not recorded');
    for (const pfn of [...(loaded ?? []), ...(prev ?? [])]) {
      if (tree.find(pfn) === null) throw new InternalError(`cached frame ${pfn} is in no range`);
    }
    rcaches.restoreMagazines(cpu, order, loaded, prev);
  }
}
