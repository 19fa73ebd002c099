// Which range a state of the two-step API stands for, and whether it may be used now.
// Source followed: include/linux/dma-mapping.h (struct dma_iova_state): 16 bytes that nothing clears, that can be copied,
// and that dma_use_iova calls used even after the addresses went back.
// Simplified: none.

import type { DmaAddr } from '@sgfree/hw-model';
import type { Device } from '../device.ts';
import type { DmaDebugRuleCode } from './debug-rule-codes.ts';
import type { DmaDebug } from './dma-debug.ts';
import type { TwoStepRange } from './two-step-range.ts';

/**
 * A state as far as the checker looks at it.
 * @internal
 */
export interface TwoStepState {
  readonly addr: DmaAddr;
  /** Bytes, 0 = unused. */
  readonly size: number;
}

/**
 * The call that uses a state.
 * @internal
 */
export type TwoStepCall = 'link' | 'sync' | 'unlink' | 'destroy' | 'free';

/**
 * The live range behind `state`, or null after posting what is wrong with it.
 * @internal
 */
export function rangeOfState(
  debug: DmaDebug,
  dev: Device,
  state: TwoStepState,
  call: TwoStepCall,
): TwoStepRange | null {
  const known = debug.rangeOfState.get(state) ?? null;
  if (known?.live === true && known.dev === dev && says(state, known)) return known;
  const copied = copiedRange(debug, dev, state);
  if (copied !== null) {
    debug.rangeOfState.set(state, copied);
    return copied;
  }
  const [rule, data] = faultOf(debug, dev, known);
  debug.report.shadow(dev, rule, { call, address: state.addr, size: state.size, ...data });
  return rule === 'dma-shadow-state-altered' ? known : null;
}

const says = (state: TwoStepState, range: TwoStepRange): boolean =>
  state.addr === range.devAddr && state.size === range.size;

/** The live range of `dev` that `state` describes without ever having been given it, or null. */
function copiedRange(debug: DmaDebug, dev: Device, state: TwoStepState): TwoStepRange | null {
  for (const range of debug.ranges.bucket(state.addr)) {
    if (range.dev === dev && says(state, range)) return range;
  }
  return null;
}

function faultOf(
  debug: DmaDebug,
  dev: Device,
  known: TwoStepRange | null,
): readonly [rule: DmaDebugRuleCode, data: Readonly<Record<string, unknown>>] {
  if (known === null) return ['dma-shadow-state-unallocated', {}];
  if (!known.live) return ['dma-shadow-state-freed', { callsAgo: debug.calls - known.endedAt }];
  if (known.dev !== dev) return ['dma-shadow-state-wrong-device', { owner: known.dev.name }];
  return ['dma-shadow-state-altered', { allocatedAddress: known.devAddr, allocatedSize: known.size }];
}

/**
 * A piece of a range as findings name it.
 * @internal
 */
export const pieceOf = (
  { devAddr }: TwoStepRange,
  offset: number,
  size: number,
): { readonly address: number; readonly offset: number; readonly size: number } => ({
  address: devAddr,
  offset,
  size,
});

/**
 * Posts a piece that does not lie in its range.
 * @internal
 */
export function checkWithin(
  debug: DmaDebug,
  range: TwoStepRange,
  call: TwoStepCall,
  offset: number,
  size: number,
): void {
  if (offset >= 0 && offset + size <= range.size) return;
  const data = { call, ...pieceOf(range, offset, size), rangeSize: range.size };
  debug.report.shadow(range.dev, 'dma-shadow-outside-range', data);
}
