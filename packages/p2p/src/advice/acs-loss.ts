// AcsLoss: bits of an ACS control register that a change takes away besides the redirecting ones.
// Source followed: the ACS parameter code of the kernel since 6.12: a matching function goes back to what firmware left, and
// loses Source Validation, Upstream Forwarding and Translation Blocking where only the kernel had set them.
// Simplified: what firmware left is not in a dump, so most losses are "may be".

import type { AcsChange, DumpedFunction } from '@sgfree/topology';
import { ACS_REDIRECT_MASK } from '../acs-redirect.ts';

/**
 * Bits that a function loses.
 * @beta
 */
export interface AcsLoss {
  readonly fn: DumpedFunction;
  /** Set now, and clear for certain afterwards. */
  readonly lost: number;
  /** Set now, and clear afterwards unless firmware had set them. */
  readonly maybeLost: number;
}

/** The losses among `changes`. @internal */
export function acsLosses(changes: readonly AcsChange[]): AcsLoss[] {
  return changes.flatMap(({ fn, before, after }) => {
    const set = before.value & ~ACS_REDIRECT_MASK;
    const lost = set & ~after.value & ~after.unknownBits;
    const maybeLost = set & after.unknownBits;
    return (lost | maybeLost) === 0 ? [] : [{ fn, lost, maybeLost }];
  });
}
