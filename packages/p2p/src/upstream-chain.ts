// UpstreamChain: a function and every bridge above it, up to the root bus or to where nothing more is known.
// Source followed: drivers/pci/p2pdma.c (the two nested walks of calc_map_type_and_dist, over pci_upstream_bridge).
// Simplified: a loop, which only a broken dump can have, ends the chain as unknown.

import type { RouteView } from './route-view.ts';

/**
 * The function first, the topmost known bridge last.
 * @public
 */
export interface UpstreamChain<F extends object> {
  readonly functions: readonly F[];
  /** True when the last one sits on a root bus; false when what is above it is not known. */
  readonly reachesRoot: boolean;
}

/**
 * Walks up from `fn`.
 * @public
 */
export function upstreamChain<F extends object>(view: RouteView<F>, fn: F): UpstreamChain<F> {
  const functions: F[] = [];
  let at: F | null | 'unknown' = fn;
  while (at !== null && at !== 'unknown') {
    if (functions.includes(at)) return { functions, reachesRoot: false };
    functions.push(at);
    at = view.upstream(at);
  }
  return { functions, reachesRoot: at === null };
}
