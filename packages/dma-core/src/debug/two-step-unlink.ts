// The checker's hooks around the last steps of the two-step API: unlink a part, destroy the whole, give the addresses back.
// Source followed: none; the kernel's checker does not see this API. dma_iova_destroy trusts the length it is given: too
// short a one leaves table entries behind (quirk destroy-short-mapped-leak).
// Whoever unlinks what was never visible is on an error path or forgot the sync; only the first is told from the second.
// Simplified: none.

import { alignDown, alignUp, PAGE_SIZE } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import type { DmaAttrs } from '../dma-attrs.ts';
import type { DmaDataDirection } from '../dma-direction.ts';
import { attrsDisagree, attrsMayDisagree, bothAttrs } from './attr-agreement.ts';
import { checkerOf, type DmaDebug } from './dma-debug.ts';
import type { LinkedPiece, TwoStepRange } from './two-step-range.ts';
import { checkWithin, pieceOf, rangeOfState, type TwoStepState } from './two-step-state.ts';

/**
 * `size` bytes from `offset` are about to be unlinked.
 * @internal
 */
export function debugDmaIovaUnlink(
  dev: Device,
  state: TwoStepState,
  offset: number,
  size: number,
  direction: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const debug = checkerOf(dev);
  const range = debug === null ? null : rangeOfState(debug, dev, state, 'unlink');
  if (debug === null || range === null) return;
  checkWithin(debug, range, 'unlink', offset, size);
  checkAllLinked(debug, range, offset, size);
  takeAway(debug, range, offset, size, direction, attrs);
}

/**
 * `mappedLen` bytes are about to be unlinked and the addresses given back.
 * @internal
 */
export function debugDmaIovaDestroy(
  dev: Device,
  state: TwoStepState,
  mappedLen: number,
  direction: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  const debug = checkerOf(dev);
  const range = debug === null ? null : rangeOfState(debug, dev, state, 'destroy');
  if (debug === null || range === null) return;
  const { linkedEnd } = range;
  const data = { address: range.devAddr, size: range.size, mappedLen, linkedEnd };
  if (mappedLen < linkedEnd) debug.report.shadow(dev, 'dma-shadow-destroy-short', data);
  if (mappedLen > linkedEnd) debug.report.shadow(dev, 'dma-shadow-destroy-long', data);
  checkAllLinked(debug, range, 0, Math.min(mappedLen, linkedEnd));
  takeAway(debug, range, 0, mappedLen, direction, attrs);
  end(debug, range);
}

/**
 * The addresses are about to be given back.
 * @internal
 */
export function debugDmaIovaFree(dev: Device, state: TwoStepState): void {
  const debug = checkerOf(dev);
  const range = debug === null ? null : rangeOfState(debug, dev, state, 'free');
  if (debug === null || range === null) return;
  const linked = range.linkedBytes(0, range.linkedEnd);
  if (linked > 0) {
    debug.report.shadow(dev, 'dma-shadow-free-linked', { address: range.devAddr, size: range.size, linked });
  }
  end(debug, range);
}

function checkAllLinked(debug: DmaDebug, range: TwoStepRange, offset: number, size: number): void {
  const linked = range.linkedBytes(offset, offset + size);
  if (linked === size) return;
  debug.report.shadow(range.dev, 'dma-shadow-unlink-unlinked', { ...pieceOf(range, offset, size), linked });
}

/** Compares the links in the range with how they are taken away, and forgets them. */
function takeAway(
  debug: DmaDebug,
  range: TwoStepRange,
  offset: number,
  size: number,
  direction: DmaDataDirection,
  attrs: DmaAttrs,
): void {
  if (size <= 0) return;
  const { dev } = range;
  const named = pieceOf(range, offset, size);
  const pieces = range.within(offset, offset + size);
  const other = pieces.find((piece) => piece.direction !== direction);
  if (other !== undefined) {
    const data = { ...named, linkedWith: other.direction, unlinkedWith: direction };
    debug.report.shadow(dev, 'dma-shadow-unlink-direction', data);
  }
  compareAttrs(debug, range, named, pieces, attrs);
  if (!range.failed && pieces.some(({ synced }) => !synced)) {
    debug.report.shadow(dev, 'dma-shadow-never-synced', named);
  }
  takeGranules(debug, range, offset, offset + size);
}

function compareAttrs(
  debug: DmaDebug,
  { dev }: TwoStepRange,
  named: Readonly<Record<string, unknown>>,
  pieces: readonly LinkedPiece[],
  attrs: DmaAttrs,
): void {
  const wrong = pieces.find((piece) => attrsDisagree(piece.attrs, attrs));
  if (wrong !== undefined) {
    debug.report.shadow(dev, 'dma-shadow-unlink-attrs', { ...named, ...bothAttrs(wrong.attrs, attrs) });
  }
  if (debug.attrAgreement !== 'strict') return;
  const odd = pieces.find((piece) => attrsMayDisagree(piece.attrs, attrs));
  if (odd === undefined) return;
  const data = { ...named, api: 'two-step', ...bothAttrs(odd.attrs, attrs) };
  debug.report.shadow(dev, 'dma-shadow-attrs-differ', data);
}

/** The page table only knows whole granules: neighbours in the first and the last one go too. */
function takeGranules(debug: DmaDebug, range: TwoStepRange, start: number, end: number): void {
  const granule = range.dev.cookie?.granule ?? PAGE_SIZE;
  const first = alignDown(range.devAddr + start, granule) - range.devAddr;
  const last = alignUp(range.devAddr + end, granule) - range.devAddr;
  range.remove(start, end);
  const others = range.linkedBytes(first, last);
  if (others === 0) return;
  const data = { ...pieceOf(range, start, end - start), others };
  debug.report.shadow(range.dev, 'dma-shadow-unlink-overreach', data);
  range.remove(first, last);
}

function end(debug: DmaDebug, range: TwoStepRange): void {
  const { dev, devAddr, size } = range;
  range.endedAt = debug.calls;
  debug.ranges.remove(range);
  debug.dead.add({ dev, devAddr, size, api: 'two-step', endedAt: debug.calls });
}
