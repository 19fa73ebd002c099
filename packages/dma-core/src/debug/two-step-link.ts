// The checker's hooks around the first steps of the two-step API: take addresses, link memory, make it visible. Before
// each call what it is about to do wrong, after it what became of it.
// Source followed: none; the kernel's checker does not see this API (quirk dma-debug-blind-to-iova). The rules are those
// that its callers in block/ and mm/hmm.c live by.
// Simplified: none.

import type { PhysAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import type { DmaAttrs } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import { checkLinkedMemory } from './check-memory.ts';
import { checkerOf } from './dma-debug.ts';
import { TwoStepRange } from './two-step-range.ts';
import { checkWithin, pieceOf, rangeOfState, type TwoStepState } from './two-step-state.ts';

/**
 * `state` is about to be filled. What it holds now would be lost.
 * @internal
 */
export function debugDmaIovaAllocating(dev: Device, state: TwoStepState): void {
  const debug = checkerOf(dev);
  const held = debug?.rangeOfState.get(state);
  if (debug === null || held === undefined) return;
  // After this the range is known by address only; a copy of the state may still stand for it.
  debug.rangeOfState.delete(state);
  if (!held.live || state.addr !== held.devAddr || state.size !== held.size) return;
  debug.report.shadow(dev, 'dma-shadow-state-reused', { address: held.devAddr, size: held.size });
}

/**
 * `state` was filled.
 * @internal
 */
export function debugDmaIovaAllocated(dev: Device, state: TwoStepState): void {
  const { debug } = dev.platform;
  if (debug === null || debug.disabled) return;
  const range = new TwoStepRange(dev, state.addr, state.size, debug.calls);
  debug.ranges.add(range);
  debug.rangeOfState.set(state, range);
}

/**
 * `size` bytes at `phys` are about to be linked at `offset`.
 * @internal
 */
export function debugDmaIovaLinking(
  dev: Device,
  state: TwoStepState,
  phys: PhysAddr,
  offset: number,
  size: number,
  attrs: DmaAttrs,
): void {
  const debug = checkerOf(dev);
  const range = debug === null ? null : rangeOfState(debug, dev, state, 'link');
  if (debug === null || range === null) return;
  checkWithin(debug, range, 'link', offset, size);
  const overlapped = range.linkedBytes(offset, offset + size);
  if (overlapped > 0) {
    debug.report.shadow(dev, 'dma-shadow-link-overlap', { ...pieceOf(range, offset, size), overlapped });
  }
  checkLinkedMemory(debug, dev, phys, size, attrs);
}

/**
 * The link ended with `errno`.
 * @internal
 */
export function debugDmaIovaLinked(
  dev: Device,
  state: TwoStepState,
  phys: PhysAddr,
  offset: number,
  size: number,
  direction: DmaDataDirection,
  attrs: DmaAttrs,
  errno: number,
): void {
  const range = dev.platform.debug?.rangeOfState.get(state);
  if (range === undefined || !range.live || range.dev !== dev) return;
  if (errno !== 0) range.failed = true;
  else range.insert({ start: offset, end: offset + size, phys, direction, attrs, synced: false });
}

/**
 * The links in `size` bytes from `offset` are about to be made visible.
 * @internal
 */
export function debugDmaIovaSyncing(dev: Device, state: TwoStepState, offset: number, size: number): void {
  const debug = checkerOf(dev);
  const range = debug === null ? null : rangeOfState(debug, dev, state, 'sync');
  if (debug === null || range === null) return;
  checkWithin(debug, range, 'sync', offset, size);
  const linked = range.linkedBytes(offset, offset + size);
  if (linked < size) {
    debug.report.shadow(dev, 'dma-shadow-sync-unlinked', { ...pieceOf(range, offset, size), linked });
  }
}

/**
 * The sync ended with `errno`.
 * @internal
 */
export function debugDmaIovaSynced(
  dev: Device,
  state: TwoStepState,
  offset: number,
  size: number,
  errno: number,
): void {
  const range = dev.platform.debug?.rangeOfState.get(state);
  if (range === undefined || !range.live || range.dev !== dev) return;
  if (errno !== 0) range.failed = true;
  else for (const piece of range.within(offset, offset + size)) piece.synced = true;
}
