// RangeNodes: the storage of a B+-tree over disjoint frame ranges, ordered from the highest range to the lowest, as
// the allocator searches. Leaf slots hold ranges, inner slots hold children; every slot carries the largest naturally
// aligned request that fits a gap beneath it. All of it lies in a few typed arrays, so nothing is allocated per range.
// Source followed: drivers/iommu/iova.c keeps the same ranges in a red-black tree and walks the gaps one by one.
// Simplified: plain storage; the rules of the order are in range-index.ts, the balancing in range-balance.ts.

/**
 * Slots of a node, as a power of two.
 * @internal
 */
export const SLOT_BITS = 4;

/**
 * Slots of a node.
 * @internal
 */
export const SLOTS: number = 1 << SLOT_BITS;

/**
 * Typed arrays of nodes and slots; a *position* is `node * SLOTS + slot`, -1 is none.
 * @internal
 */
export class RangeNodes {
  /** Leaf slot: first frame. Inner slot: no frame of the child is lower, every later slot's ranges are. Unused: NaN. */
  low: Float64Array;
  /** Leaf slot: last frame, inclusive. Inner slot: number of the child node. */
  last: Float64Array;
  /**
   * Largest naturally aligned request that fits the gap below the range, or any gap below the child's ranges. 0 for the
   * end anchor and for the lowest range: their gaps change with every step downwards and are looked at by themselves.
   */
  fit: Float64Array;
  /** Leaf slot: first free frame of the gap below. Inner slot: longest gap, once {@link RangeNodes.tracksLongest}. */
  under: Float64Array;
  /** Slots in use by node. */
  count: Int32Array;
  /** 0 = leaf. A leaf never becomes an inner node, so a position remembered for a range never shows a child. */
  level: Int32Array;
  /** Position of the slot that points to this node, -1 for the root. */
  parentSlot: Int32Array;
  /** Neighbours on the same level, towards higher and lower frames. */
  above: Int32Array;
  below: Int32Array;
  /** Off until the first request without alignment; the longest gaps are only needed for those. */
  tracksLongest = false;
  root = 0;
  /** The leaf that holds the lowest range. */
  bottom = 0;
  /** Frames below this one never count as free. */
  readonly startFrame: number;
  #capacity: number;
  #used = 1;
  #freeLeaf = -1;
  #freeInner = -1;

  constructor(startFrame: number, capacity: number = 4) {
    this.startFrame = startFrame;
    this.#capacity = capacity;
    this.low = new Float64Array(capacity * SLOTS).fill(Number.NaN);
    this.last = new Float64Array(capacity * SLOTS);
    this.fit = new Float64Array(capacity * SLOTS);
    this.under = new Float64Array(capacity * SLOTS);
    this.count = new Int32Array(capacity);
    this.level = new Int32Array(capacity);
    this.parentSlot = new Int32Array(capacity).fill(-1);
    this.above = new Int32Array(capacity).fill(-1);
    this.below = new Int32Array(capacity).fill(-1);
  }

  /** An empty node; the arrays may be replaced, so callers read them again. */
  takeNode(level: number): number {
    let node = level === 0 ? this.#freeLeaf : this.#freeInner;
    if (node < 0) {
      node = this.#used;
      this.#used += 1;
      if (node === this.#capacity) this.#grow();
    } else if (level === 0) this.#freeLeaf = this.below[node] as number;
    else this.#freeInner = this.below[node] as number;
    this.level[node] = level;
    this.count[node] = 0;
    this.parentSlot[node] = -1;
    this.above[node] = -1;
    this.below[node] = -1;
    return node;
  }

  /** Takes a node out of its level and keeps it for later; the highest node of a level always stays. */
  releaseNode(node: number): void {
    const above = this.above[node] as number;
    const below = this.below[node] as number;
    if (above >= 0) this.below[above] = below;
    if (below >= 0) this.above[below] = above;
    else if (node === this.bottom) this.bottom = above;
    this.dropSlots(node, 0);
    if (this.level[node] === 0) {
      this.below[node] = this.#freeLeaf;
      this.#freeLeaf = node;
    } else {
      this.below[node] = this.#freeInner;
      this.#freeInner = node;
    }
  }

  /** Leaves only the first `kept` slots of a node in use. */
  dropSlots(node: number, kept: number): void {
    const base = node << SLOT_BITS;
    const end = base + (this.count[node] as number);
    for (let at = base + kept; at < end; at += 1) this.low[at] = Number.NaN;
    this.count[node] = kept;
  }

  /** Puts `node` directly below `above` on their level. */
  linkBelow(above: number, node: number): void {
    const below = this.below[above] as number;
    this.below[above] = node;
    this.above[node] = above;
    this.below[node] = below;
    if (below >= 0) this.above[below] = node;
    else if (this.level[node] === 0) this.bottom = node;
  }

  /** Position of the lowest range. */
  lowest(): number {
    return (this.bottom << SLOT_BITS) + (this.count[this.bottom] as number) - 1;
  }

  /** Position of the range directly below, -1 when this is the lowest. */
  nextBelow(position: number): number {
    const node = position >>> SLOT_BITS;
    if ((position & (SLOTS - 1)) + 1 < (this.count[node] as number)) return position + 1;
    const below = this.below[node] as number;
    return below < 0 ? -1 : below << SLOT_BITS;
  }

  /** Position of the range directly above, -1 when this is the highest. */
  nextAbove(position: number): number {
    if ((position & (SLOTS - 1)) !== 0) return position - 1;
    const above = this.above[position >>> SLOT_BITS] as number;
    return above < 0 ? -1 : (above << SLOT_BITS) + (this.count[above] as number) - 1;
  }

  /** Moves slot contents within or between nodes; children learn their new place. */
  moveSlot(from: number, to: number): void {
    const last = this.last[from] as number;
    this.low[to] = this.low[from] as number;
    this.last[to] = last;
    this.fit[to] = this.fit[from] as number;
    this.under[to] = this.under[from] as number;
    if ((this.level[to >>> SLOT_BITS] as number) > 0) this.parentSlot[last] = to;
  }

  /** Frees the slot at `position` by moving it and those after it one place on; the node is not full. */
  openSlot(position: number): void {
    const { low, last, fit, under, count } = this;
    const node = position >>> SLOT_BITS;
    const held = count[node] as number;
    const end = (node << SLOT_BITS) + held;
    for (let to = end; to > position; to -= 1) {
      low[to] = low[to - 1] as number;
      last[to] = last[to - 1] as number;
      fit[to] = fit[to - 1] as number;
      under[to] = under[to - 1] as number;
    }
    count[node] = held + 1;
    if (this.level[node] !== 0) this.#placeChildren(position + 1, end + 1);
  }

  /** Takes a slot out of its node; the node may be left empty. */
  closeSlot(position: number): void {
    const { low, last, fit, under, count } = this;
    const node = position >>> SLOT_BITS;
    const kept = (count[node] as number) - 1;
    const end = (node << SLOT_BITS) + kept;
    for (let to = position; to < end; to += 1) {
      low[to] = low[to + 1] as number;
      last[to] = last[to + 1] as number;
      fit[to] = fit[to + 1] as number;
      under[to] = under[to + 1] as number;
    }
    low[end] = Number.NaN;
    count[node] = kept;
    if (this.level[node] !== 0) this.#placeChildren(position, end);
  }

  #placeChildren(start: number, end: number): void {
    const { last, parentSlot } = this;
    for (let at = start; at < end; at += 1) parentSlot[last[at] as number] = at;
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    const floats = (old: Float64Array): Float64Array => {
      const wider = new Float64Array(capacity * SLOTS).fill(Number.NaN);
      wider.set(old);
      return wider;
    };
    const integers = (old: Int32Array): Int32Array => {
      const wider = new Int32Array(capacity).fill(-1);
      wider.set(old);
      return wider;
    };
    this.low = floats(this.low);
    this.last = floats(this.last);
    this.fit = floats(this.fit);
    this.under = floats(this.under);
    this.count = integers(this.count);
    this.level = integers(this.level);
    this.parentSlot = integers(this.parentSlot);
    this.above = integers(this.above);
    this.below = integers(this.below);
    this.#capacity = capacity;
  }
}
