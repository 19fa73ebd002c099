// RouteHops: the way between two functions bridge by bridge, with the bits that decide at each.
// Source followed: the walk of calc_map_type_and_dist in drivers/pci/p2pdma.c, written down in the order of travel.
// Simplified: what lies above the common port is left out, since nothing there decides.

import { pciBridgeHasAcsRedir } from './acs-redirect.ts';
import type { P2pdmaRoute } from './calc-map-type.ts';
import type { RouteView } from './route-view.ts';
import type { Truth } from './truth.ts';
import { upstreamChain } from './upstream-chain.ts';

/**
 * One function on a route. A route without a common port has its root complex between the last hop of side
 * `provider` and the first of side `client`.
 * @public
 */
export interface RouteHop<F extends object> {
  readonly at: F;
  readonly side: 'provider' | 'common' | 'client';
  readonly acsControl: number | 'absent' | 'unknown';
  /** True when a bit of it redirects. */
  readonly redirects: Truth;
}

/**
 * The hops of a route from the provider to the client.
 * @public
 */
export function routeHops<F extends object>(
  view: RouteView<F>,
  provider: F,
  client: F,
  route: P2pdmaRoute<F>,
): RouteHop<F>[] {
  const { common } = route;
  const climb = (from: F, side: RouteHop<F>['side']): RouteHop<F>[] => {
    const { functions } = upstreamChain(view, from);
    const end = common === null || common === 'unknown' ? functions.length : functions.indexOf(common);
    return functions.slice(0, end).map((at) => hop(view, at, side));
  };
  const top = common === null || common === 'unknown' ? [] : [hop(view, common, 'common')];
  return [...climb(provider, 'provider'), ...top, ...climb(client, 'client').reverse()];
}

function hop<F extends object>(view: RouteView<F>, at: F, side: RouteHop<F>['side']): RouteHop<F> {
  return { at, side, acsControl: view.acsControl(at), redirects: pciBridgeHasAcsRedir(view, at) };
}
