// NearestSlots: for each of many faults the nearest mapping on one side, in one state.
// Source followed: none; the faults' addresses cut the address space into gaps, and each gap that holds an edge of a
// mapping has a segment tree over the faults in order of their positions: a mapping is entered for the range of positions
// at which it is in the state.
// Simplified: one edge of the mapping counts; of equally near ones the latest.

/**
 * The side on which mappings lie.
 * @internal
 */
export type Side = 'below' | 'above';

/**
 * Nearest mappings by gap and position. `edges` are the addresses of the near ends, `lines` tell how late a slot is.
 * @internal
 */
export class NearestSlots {
  readonly #side: Side;
  readonly #edges: Float64Array;
  readonly #lines: Float64Array;
  readonly #positions: number;
  /** Slot + 1 by node of the tree, the leaves from `positions` on; undefined for a gap without edges. */
  readonly #trees: (Int32Array | undefined)[] = [];

  constructor(side: Side, edges: Float64Array, lines: Float64Array, positions: number) {
    this.#side = side;
    this.#edges = edges;
    this.#lines = lines;
    this.#positions = positions;
  }

  /** The slot is in the state at positions `from` up to `to`, exclusive; its edge lies in the gap. */
  enter(slot: number, gap: number, from: number, to: number): void {
    if (from >= to) return;
    this.#trees[gap] ??= new Int32Array(2 * this.#positions);
    const tree = this.#trees[gap];
    let left = from + this.#positions;
    let right = to + this.#positions;
    for (; left < right; left >>= 1, right >>= 1) {
      if (left & 1) this.#put(tree, left++, slot);
      if (right & 1) this.#put(tree, --right, slot);
    }
  }

  /** The nearest slot seen from a gap at a position; -1 for none. Further gaps lie downwards for `below`, else upwards. */
  nearest(gap: number, gaps: number, position: number): number {
    const step = this.#side === 'below' ? -1 : 1;
    for (let at = gap; at >= 0 && at < gaps; at += step) {
      const tree = this.#trees[at];
      const slot = tree === undefined ? -1 : this.#bestIn(tree, position);
      if (slot >= 0) return slot;
    }
    return -1;
  }

  #bestIn(tree: Int32Array, position: number): number {
    let best = -1;
    for (let node = position + this.#positions; node >= 1; node >>= 1) {
      const slot = (tree[node] as number) - 1;
      if (slot >= 0 && (best < 0 || this.#isBetter(slot, best))) best = slot;
    }
    return best;
  }

  #put(tree: Int32Array, node: number, slot: number): void {
    const kept = (tree[node] as number) - 1;
    if (kept < 0 || this.#isBetter(slot, kept)) tree[node] = slot + 1;
  }

  #isBetter(slot: number, kept: number): boolean {
    const one = this.#edges[slot] as number;
    const two = this.#edges[kept] as number;
    if (one !== two) return this.#side === 'below' ? one > two : one < two;
    return (this.#lines[slot] as number) > (this.#lines[kept] as number);
  }
}
