// DirectMappings: mappings without an IOMMU, where the DMA address is the physical one. Drivers may leave their
// unmapping out there (dma_need_unmap says no), so they are held only until their address is mapped again, and only so
// many of them.
// Source followed: dma_need_unmap and dma_skip_sync in kernel/dma/mapping.c.
// Simplified: oldest first, whatever their size.

import type { LiveMapping, MappedWhere } from './reconstructed-mapping.ts';
import type { ReconstructionRule } from './reconstruction-rules.ts';
import type { ReconstructionState } from './reconstruction-state.ts';

/** The direct mappings that count as mapped: a list, oldest first. */
export class DirectMappings {
  readonly #state: ReconstructionState;
  readonly #most: number;
  #oldest: LiveMapping | null = null;
  #newest: LiveMapping | null = null;
  #count = 0;

  constructor(state: ReconstructionState, most: number) {
    this.#state = state;
    this.#most = most;
  }

  /** Holds a new one; the oldest goes when there are too many. */
  hold(live: LiveMapping): void {
    live.held = true;
    live.older = this.#newest;
    if (this.#newest === null) this.#oldest = live;
    else this.#newest.newer = live;
    this.#newest = live;
    this.#count += 1;
    if (this.#count <= this.#most || this.#oldest === null) return;
    const { mappedLine: line, mappedAt: at, mappedCpu: cpu, mappedTask: task } = live.traced;
    this.giveUp(this.#oldest, { line, at, cpu, task }, 'direct-not-held');
  }

  /** It was unmapped. */
  drop(live: LiveMapping): void {
    if (!live.held) return;
    live.held = false;
    this.#count -= 1;
    if (live.older === null) this.#oldest = live.newer;
    else live.older.newer = live.newer;
    if (live.newer === null) this.#newest = live.older;
    else live.newer.older = live.older;
    live.older = null;
    live.newer = null;
  }

  /** It has ended somewhere, by a rule. */
  giveUp(live: LiveMapping, { line, at, cpu, task }: MappedWhere, rule: ReconstructionRule): void {
    this.drop(live);
    if (live.byAddress !== null) this.#state.byAddress.remove(live.byAddress);
    if (live.byPhys !== null) this.#state.byPhys.remove(live.byPhys);
    if (!live.ended) this.#state.announceEnd(live, { line, at, cpu, task, from: 'inferred', rules: [rule] });
  }
}
