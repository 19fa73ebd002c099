// RangeIndex: the allocated ranges of one IOVA space, with an index of the gaps between them.
// Source followed: the answers are those of the red-black tree walk in drivers/iommu/iova.c; the structure is a B+-tree
// ordered from high to low in which each slot knows the largest naturally aligned request that fits below it, so that
// the first fit below any range is found by one climb and one descent.
// The highest entry is the end anchor, a range at 2^64-1 that is never removed; its own gap is always judged against
// a limit, so its fit is held at 0. So is that of the lowest range: a space that fills downwards would otherwise change
// every maximum above with each range. Free frames below `startFrame` do not count as free.
// Simplified: frames below 2^53; `longest gap` is kept only from the first unaligned request on.

import { largestAlignedFit } from './natural-alignment.ts';
import { coverLow, fitChanged, longestChanged, openSlotBelow, settleNode } from './range-balance.ts';
import { RangeNodes, SLOT_BITS } from './range-nodes.ts';

/**
 * Stands for 2^64-1, where the end anchor lies; the power of two itself, since the exact value is no double.
 * @public
 */
export const IOVA_ANCHOR: number = 2 ** 64;

/**
 * Ordered disjoint ranges with a gap index; positions are valid until the next change.
 * @internal
 */
export class RangeIndex {
  readonly nodes: RangeNodes;
  /** Ranges held, the anchor not counted. */
  size = 0;
  /** Position of the range put in last, or of the one above the range taken out last; where a look-up tries first. */
  touched = 0;

  constructor(startFrame: number) {
    const nodes = new RangeNodes(startFrame);
    this.nodes = nodes;
    nodes.count[0] = 1;
    nodes.low[0] = IOVA_ANCHOR;
    nodes.last[0] = IOVA_ANCHOR;
    nodes.under[0] = startFrame;
  }

  /** Position of the highest range that starts at or below a frame, -1 when all start above it. */
  atOrBelow(frame: number): number {
    const { nodes } = this;
    const { low, last, count, level } = nodes;
    let node = nodes.root;
    while ((level[node] as number) > 0) {
      let at = node << SLOT_BITS;
      const final = at + (count[node] as number) - 1;
      while (at < final && (low[at] as number) > frame) at += 1;
      node = last[at] as number;
    }
    let at = node << SLOT_BITS;
    const end = at + (count[node] as number);
    while (at < end && (low[at] as number) > frame) at += 1;
    if (at < end) return at;
    const below = nodes.below[node] as number;
    return below < 0 ? -1 : below << SLOT_BITS;
  }

  /** Position of the lowest range that ends at or above a frame; the anchor at the latest. */
  reaching(frame: number): number {
    const at = this.atOrBelow(frame);
    if (at < 0) return this.nodes.lowest();
    return (this.nodes.last[at] as number) >= frame ? at : this.nodes.nextAbove(at);
  }

  /** Position of the range that contains a frame, -1 when the frame is free. */
  containing(frame: number): number {
    const { low, last } = this.nodes;
    const { touched } = this;
    if ((low[touched] as number) <= frame && (last[touched] as number) >= frame) return touched;
    const at = this.atOrBelow(frame);
    return at >= 0 && (last[at] as number) >= frame ? at : -1;
  }

  /** Position of the range that starts at `low`, which exists; `hint` is where it was a few changes ago. */
  positionOf(low: number, hint: number): number {
    return this.nodes.low[hint] === low ? hint : this.#nearHint(low, hint);
  }

  #nearHint(low: number, hint: number): number {
    const held = this.nodes.low;
    if (held[hint + 1] === low && this.nodes.level[(hint + 1) >>> SLOT_BITS] === 0) return hint + 1;
    if (held[hint - 1] === low && this.nodes.level[(hint - 1) >>> SLOT_BITS] === 0) return hint - 1;
    return this.atOrBelow(low);
  }

  /** Position of the first range at or below `position` with a gap below it that fits an aligned request; -1 = none. */
  firstAlignedFit(position: number, size: number): number {
    const { nodes } = this;
    const { fit, last, count, level, parentSlot } = nodes;
    let node = position >>> SLOT_BITS;
    let at = position;
    for (;;) {
      const end = (node << SLOT_BITS) + (count[node] as number);
      while (at < end && (fit[at] as number) < size) at += 1;
      if (at < end) break;
      const up = parentSlot[node] as number;
      if (up < 0) return this.#lowestFit(size);
      node = up >>> SLOT_BITS;
      at = up + 1;
    }
    while ((level[node] as number) > 0) {
      node = last[at] as number;
      at = node << SLOT_BITS;
      while ((fit[at] as number) < size) at += 1;
    }
    return at;
  }

  /** Position of the lowest range when the gap below it fits an aligned request; -1 when it does not. */
  #lowestFit(size: number): number {
    const { nodes } = this;
    const at = nodes.lowest();
    return largestAlignedFit(nodes.under[at] as number, nodes.low[at] as number) >= size ? at : -1;
  }

  /** The fit of a gap whose lower neighbour is that of `position`. */
  #fitBelow(position: number, gapFirst: number, end: number): number {
    return position === this.nodes.lowest() ? 0 : largestAlignedFit(gapFirst, end);
  }

  /** The same for a request that may start anywhere. */
  firstLongGap(position: number, size: number): number {
    const { nodes } = this;
    if (!nodes.tracksLongest) this.#trackLongest();
    const { low, under } = nodes;
    const fits = (at: number, leaf: boolean): boolean =>
      (leaf ? (low[at] as number) - (under[at] as number) : (under[at] as number)) >= size;
    let node = position >>> SLOT_BITS;
    let at = position;
    for (;;) {
      const leaf = nodes.level[node] === 0;
      const end = (node << SLOT_BITS) + (nodes.count[node] as number);
      while (at < end && !fits(at, leaf)) at += 1;
      if (at < end) break;
      const up = nodes.parentSlot[node] as number;
      if (up < 0) return -1;
      node = up >>> SLOT_BITS;
      at = up + 1;
    }
    while ((nodes.level[node] as number) > 0) {
      node = nodes.last[at] as number;
      at = node << SLOT_BITS;
      while (!fits(at, nodes.level[node] === 0)) at += 1;
    }
    return at;
  }

  /** Puts a range into the gap below `position`. */
  insertBelow(position: number, first: number, last: number): void {
    const { nodes } = this;
    const end = nodes.low[position] as number;
    const gapFirst = nodes.under[position] as number;
    const lost = nodes.fit[position] as number;
    const lowerFit = this.#fitBelow(position, gapFirst, first);
    const upperFirst = last < nodes.startFrame ? nodes.startFrame : last + 1;
    const upperFit = end === IOVA_ANCHOR ? 0 : largestAlignedFit(upperFirst, end);
    const opened = openSlotBelow(nodes, position);
    const { fit, under } = nodes;
    nodes.low[opened] = first;
    nodes.last[opened] = last;
    fit[opened] = lowerFit;
    under[opened] = gapFirst;
    fit[opened - 1] = upperFit;
    under[opened - 1] = upperFirst;
    this.size += 1;
    this.touched = opened;
    if ((nodes.parentSlot[opened >>> SLOT_BITS] as number) >= 0) {
      this.#spread(opened >>> SLOT_BITS, first, lost, Math.max(lowerFit, upperFit));
    }
  }

  /** Tells the nodes above of a range that begins at `first`, and of fits that came and went. */
  #spread(node: number, first: number, lost: number, gained: number): void {
    const { nodes } = this;
    coverLow(nodes, node, first);
    fitChanged(nodes, node, lost, gained);
    if (nodes.tracksLongest) longestChanged(nodes, node);
  }

  /** Removes a range; `above` is the position of the one above it, which begins at `end`. */
  remove(position: number, above: number, end: number): void {
    const { nodes } = this;
    const { fit, under } = nodes;
    const gapFirst = under[position] as number;
    const lost = fit[position] as number;
    const lostAbove = fit[above] as number;
    const merged = end === IOVA_ANCHOR ? 0 : this.#fitBelow(position, gapFirst, end);
    fit[above] = merged;
    under[above] = gapFirst;
    nodes.closeSlot(position);
    this.size -= 1;
    this.touched = above;
    const node = position >>> SLOT_BITS;
    if ((nodes.parentSlot[node] as number) >= 0) {
      this.#removed(node, above >>> SLOT_BITS, lost, lostAbove, merged);
    }
  }

  /** Tells the nodes above that a gap of `node` became part of one of `aboveNode`. */
  #removed(node: number, aboveNode: number, lost: number, lostAbove: number, merged: number): void {
    const { nodes } = this;
    if (node === aboveNode) fitChanged(nodes, node, Math.max(lost, lostAbove), merged);
    else {
      fitChanged(nodes, aboveNode, lostAbove, merged);
      fitChanged(nodes, node, lost, 0);
    }
    if (nodes.tracksLongest) {
      longestChanged(nodes, aboveNode);
      if (node !== aboveNode) longestChanged(nodes, node);
    }
    settleNode(nodes, node);
  }

  /** Lets a range begin lower, within the gap below it. */
  growDown(position: number, first: number): void {
    const { nodes } = this;
    const lost = nodes.fit[position] as number;
    const fit = this.#fitBelow(position, nodes.under[position] as number, first);
    nodes.low[position] = first;
    nodes.fit[position] = fit;
    this.#spread(position >>> SLOT_BITS, first, lost, fit);
  }

  /** Calls `visit` for every range in ascending order, the anchor left out. */
  forEach(visit: (first: number, last: number) => void): void {
    const { nodes } = this;
    for (let at = this.nodes.lowest(); nodes.low[at] !== IOVA_ANCHOR; at = nodes.nextAbove(at)) {
      visit(nodes.low[at] as number, nodes.last[at] as number);
    }
  }

  #trackLongest(): void {
    const { nodes } = this;
    nodes.tracksLongest = true;
    for (let at = this.nodes.lowest(); at >= 0; ) {
      const node = at >>> SLOT_BITS;
      longestChanged(nodes, node);
      at = nodes.nextAbove(node << SLOT_BITS);
    }
  }
}
