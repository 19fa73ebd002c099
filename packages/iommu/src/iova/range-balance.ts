// Balancing of the range tree: splitting full nodes, joining sparse ones, and keeping the maxima of inner slots true.
// Source followed: none, the search structure is ours; only its answers follow drivers/iommu/iova.c.
// A node that is extended at its lower end is split behind its last slot, because allocation goes downwards: a filled
// space ends up in full nodes. Joining happens below a quarter and fills at most three quarters, so a pair of
// calls never splits and joins in turn.
// Simplified: siblings under different parents are never joined.

import { type RangeNodes, SLOT_BITS, SLOTS } from './range-nodes.ts';

const SPARSE = SLOTS / 4;
const JOINED_MOST = (SLOTS / 4) * 3;

/** Largest fit in a node. */
function largestFit(nodes: RangeNodes, node: number): number {
  const { fit } = nodes;
  const base = node << SLOT_BITS;
  let largest = 0;
  for (let at = base, end = base + (nodes.count[node] as number); at < end; at += 1) {
    const value = fit[at] as number;
    if (value > largest) largest = value;
  }
  return largest;
}

/** Longest gap in a node. */
function longestGap(nodes: RangeNodes, node: number): number {
  const { low, under } = nodes;
  const base = node << SLOT_BITS;
  const isLeaf = nodes.level[node] === 0;
  let longest = 0;
  for (let at = base, end = base + (nodes.count[node] as number); at < end; at += 1) {
    const value = isLeaf ? (low[at] as number) - (under[at] as number) : (under[at] as number);
    if (value > longest) longest = value;
  }
  return longest;
}

/**
 * Carries a change of fits in a node up the tree: `lost` is the largest value that vanished, `gained` the largest new one.
 * @internal
 */
export function fitChanged(nodes: RangeNodes, node: number, lost: number, gained: number): void {
  const { fit, parentSlot } = nodes;
  let changed = node;
  for (let up = parentSlot[changed] as number; up >= 0; up = parentSlot[changed] as number) {
    const held = fit[up] as number;
    let now = gained;
    if (gained < held) {
      if (lost < held) return;
      now = largestFit(nodes, changed);
    }
    if (now === held) return;
    fit[up] = now;
    lost = held;
    gained = now;
    changed = up >>> SLOT_BITS;
  }
}

/**
 * Recomputes the longest gaps above a node.
 * @internal
 */
export function longestChanged(nodes: RangeNodes, node: number): void {
  let changed = node;
  for (let up = nodes.parentSlot[changed] as number; up >= 0; up = nodes.parentSlot[changed] as number) {
    nodes.under[up] = longestGap(nodes, changed);
    changed = up >>> SLOT_BITS;
  }
}

/**
 * Lets every slot above a node cover ranges down to `low`.
 * @internal
 */
export function coverLow(nodes: RangeNodes, node: number, low: number): void {
  for (
    let up = nodes.parentSlot[node] as number;
    up >= 0;
    up = nodes.parentSlot[up >>> SLOT_BITS] as number
  ) {
    if ((nodes.low[up] as number) <= low) return;
    nodes.low[up] = low;
  }
}

/** Writes the maxima of a node into the slot that points to it. */
function summarize(nodes: RangeNodes, node: number): void {
  const up = nodes.parentSlot[node] as number;
  nodes.fit[up] = largestFit(nodes, node);
  if (nodes.tracksLongest) nodes.under[up] = longestGap(nodes, node);
}

function growRoot(nodes: RangeNodes, child: number, low: number): number {
  const root = nodes.takeNode((nodes.level[child] as number) + 1);
  const slot = root << SLOT_BITS;
  nodes.root = root;
  nodes.count[root] = 1;
  nodes.low[slot] = low;
  nodes.last[slot] = child;
  nodes.parentSlot[child] = slot;
  summarize(nodes, child);
  return slot;
}

/**
 * Splits the full node of `position`; answers where the entry at `position` is now.
 * @internal
 */
export function splitNode(nodes: RangeNodes, position: number): number {
  const node = position >>> SLOT_BITS;
  const slot = position & (SLOTS - 1);
  const kept = slot === SLOTS - 1 ? slot : SLOTS / 2;
  const lower = nodes.takeNode(nodes.level[node] as number);
  const lowerBase = lower << SLOT_BITS;
  const nodeBase = node << SLOT_BITS;
  nodes.linkBelow(node, lower);
  let up = nodes.parentSlot[node] as number;
  if (up < 0) up = growRoot(nodes, node, nodes.low[nodeBase + SLOTS - 1] as number);
  for (let from = kept; from < SLOTS; from += 1) nodes.moveSlot(nodeBase + from, lowerBase + from - kept);
  nodes.count[lower] = SLOTS - kept;
  nodes.dropSlots(node, kept);
  const lowerUp = openSlotBelow(nodes, up);
  up = lowerUp - 1;
  nodes.low[lowerUp] = nodes.low[up] as number;
  nodes.last[lowerUp] = lower;
  nodes.parentSlot[lower] = lowerUp;
  nodes.low[up] = nodes.low[nodeBase + kept - 1] as number;
  summarize(nodes, node);
  summarize(nodes, lower);
  return slot < kept ? position : lowerBase + slot - kept;
}

/**
 * Opens the slot below `position` in its node, splitting it when it is full. Answers the opened position; the entry
 * that was at `position` is directly before it.
 * @internal
 */
export function openSlotBelow(nodes: RangeNodes, position: number): number {
  const isFull = nodes.count[position >>> SLOT_BITS] === SLOTS;
  const opened = (isFull ? splitNode(nodes, position) : position) + 1;
  nodes.openSlot(opened);
  return opened;
}

/**
 * Puts a node that lost a slot in order: drops it when empty, joins it with a sibling when sparse.
 * @internal
 */
export function settleNode(nodes: RangeNodes, node: number): void {
  const count = nodes.count[node] as number;
  if (count >= SPARSE) return;
  const up = nodes.parentSlot[node] as number;
  if (up < 0) {
    if (count === 1 && nodes.level[node] !== 0) shrinkRoot(nodes, node);
    return;
  }
  const parent = up >>> SLOT_BITS;
  if (count === 0) dropChild(nodes, up);
  else if (!joinSiblings(nodes, up) && !((up & (SLOTS - 1)) > 0 && joinSiblings(nodes, up - 1))) return;
  settleNode(nodes, parent);
}

function shrinkRoot(nodes: RangeNodes, root: number): void {
  const child = nodes.last[root << SLOT_BITS] as number;
  nodes.root = child;
  nodes.parentSlot[child] = -1;
  nodes.releaseNode(root);
}

function dropChild(nodes: RangeNodes, up: number): void {
  nodes.releaseNode(nodes.last[up] as number);
  nodes.closeSlot(up);
}

/** Moves the child behind the next slot into the child of this one, when both fit with room to spare. */
function joinSiblings(nodes: RangeNodes, up: number): boolean {
  const parent = up >>> SLOT_BITS;
  if ((up & (SLOTS - 1)) + 1 >= (nodes.count[parent] as number)) return false;
  const upper = nodes.last[up] as number;
  const lower = nodes.last[up + 1] as number;
  const upperCount = nodes.count[upper] as number;
  const lowerCount = nodes.count[lower] as number;
  if (upperCount + lowerCount > JOINED_MOST) return false;
  const to = (upper << SLOT_BITS) + upperCount;
  const from = lower << SLOT_BITS;
  for (let slot = 0; slot < lowerCount; slot += 1) nodes.moveSlot(from + slot, to + slot);
  nodes.count[upper] = upperCount + lowerCount;
  nodes.low[up] = nodes.low[up + 1] as number;
  nodes.fit[up] = Math.max(nodes.fit[up] as number, nodes.fit[up + 1] as number);
  nodes.under[up] = Math.max(nodes.under[up] as number, nodes.under[up + 1] as number);
  dropChild(nodes, up + 1);
  return true;
}
