// RedirectPlan: which functions of a machine must stop redirecting so that every pair below a common port gets bus addresses.
// Source followed: drivers/pci/p2pdma.c: only the functions between two devices and their common port matter; the plan names
// no other port, because every port that stops redirecting costs isolation.
// Simplified: one plan for all pairs together; a pair of devices has advice of its own.

import { ACS_REDIRECT_MASK, disableRedirectArgument, whatIf } from '@sgfree/p2p';
import type { DumpedFunction } from '@sgfree/topology';
import type { MatrixSummary } from './matrix-summary.ts';
import { Judge, type P2pCase } from './p2p-case.ts';

/** A plan that was tried. */
export interface RedirectPlan {
  readonly functions: readonly DumpedFunction[];
  /** The kernel's argument. */
  readonly argument: string;
  /** Pairs that get bus addresses by it. */
  readonly gained: number;
}

/** The plan; null when no pair would gain. */
export function redirectPlan(asked: P2pCase, { pairs }: MatrixSummary): RedirectPlan | null {
  const candidates = pairs.filter(
    ({ route }) => typeof route.common === 'object' && route.common !== null && route.redirecting.length > 0,
  );
  if (candidates.length === 0) return null;
  const functions = [...new Set(candidates.flatMap(({ route }) => route.redirecting))];
  const argument = disableRedirectArgument(
    functions.map((fn) => ({ fn, bits: ACS_REDIRECT_MASK, certain: true })),
  );
  const { controls } = whatIf(asked.dump, [argument], { kernel: asked.kernel.acs });
  const after = new Judge(asked, controls);
  const gained = candidates.filter(
    ({ provider, client }) => after.pair(provider, client).route.mapType === 'bus-addr',
  ).length;
  return gained === 0 ? null : { functions, argument, gained };
}
