// DumpRouteView: a dumped machine as the route algorithm sees it; what the dump does not show stays unknown.
// Source followed: drivers/pci/p2pdma.c (what it asks of a function), over the facts that a dump holds.
// Two things are known better or worse here than function by function: functions below one bridge share its host bridge,
// wherever that is; and a dump that leaves bridges out shows nobody's upstream bridge for certain.
// Simplified: none.

import { type AcsControl, type DumpedFunction, DumpRoutes, type MachineDump } from '@sgfree/topology';
import type { RouteView } from './route-view.ts';
import type { Truth } from './truth.ts';
import { upstreamChain } from './upstream-chain.ts';

/**
 * Routes over the functions of a dump, with some ACS control registers as given instead (a what-if).
 * @public
 */
export function dumpRouteView(
  dump: MachineDump,
  controls?: ReadonlyMap<DumpedFunction, AcsControl>,
): RouteView<DumpedFunction> {
  const routes = new DumpRoutes(dump, controls);
  const view: RouteView<DumpedFunction> = {
    upstream: (fn) => {
      const above = routes.upstream(fn);
      return dump.partial && above !== null ? 'unknown' : above;
    },
    acsControl: (fn) => routes.acsControl(fn),
    sameHost: (a, b) => {
      const same = routes.sameHost(a, b);
      return same === 'unknown' ? belowOneBridge(view, a, b) : same;
    },
    rootDevice: (fn) => routes.rootDevice(fn),
    mayBridge: ({ headerType }) => headerType !== 0,
  };
  return view;
}

function belowOneBridge(view: RouteView<DumpedFunction>, a: DumpedFunction, b: DumpedFunction): Truth {
  const tops = [a, b].map((fn) => upstreamChain(view, fn).functions.at(-1));
  return tops[0] === tops[1] ? true : 'unknown';
}
