// The route between a provider and a client: which map type, at which distance, decided by what.
// Source followed: drivers/pci/p2pdma.c (calc_map_type_and_dist).
// Kept from Linux: redirecting bits count on both functions and every port up to and including the common one, not
// above it (p2p-acs-up-to-common-port); the distance says nothing of the way the data takes (p2p-self-distance-zero).
// On a machine known in part the verdict is `unknown` exactly when completing it in one way or another would change it.
// Simplified: a bridge whose place is unknown may be anywhere below a known bridge, but not below an endpoint.

import { pciBridgeHasAcsRedir } from './acs-redirect.ts';
import { hostBridgeWhitelist } from './host-bridge-list.ts';
import type { HostRules } from './host-rules.ts';
import type { RootDevice, RouteView } from './route-view.ts';
import { eitherOf, type Truth } from './truth.ts';
import { type UpstreamChain, upstreamChain } from './upstream-chain.ts';

/**
 * How a client reaches a provider's memory (`enum pci_p2pdma_map_type`).
 * @public
 */
export type P2pdmaMapType = 'not-supported' | 'bus-addr' | 'thru-host-bridge';

/**
 * What decided a verdict: a common port without redirection, the CPU, the host-bridge list (either way), or nothing
 * because it is unknown.
 * @public
 */
export type RouteRule = 'common-port' | 'cpu' | 'host-bridge-listed' | 'host-bridge-not-listed' | 'unknown';

/**
 * What would have to be known for a verdict.
 * @public
 */
export type MissingFact<F extends object> =
  | { readonly kind: 'acs-control' | 'upstream-bridge' | 'host-bridge'; readonly of: F }
  | { readonly kind: 'cpu' | 'kernel-version' };

/**
 * A route found by {@link calcMapTypeAndDist}.
 * @public
 */
export interface P2pdmaRoute<F extends object> {
  readonly mapType: P2pdmaMapType | 'unknown';
  /** Every map type that is possible with what is known; one element unless `mapType` is unknown. */
  readonly possible: readonly P2pdmaMapType[];
  /** Bridges and functions passed, as the kernel counts them; given for `not-supported` too. */
  readonly distance: number | 'unknown';
  /** The nearest bridge (or function) above or at both; null when only root complexes connect them. */
  readonly common: F | null | 'unknown';
  /** Functions with a redirecting bit between the two ends and the common port, in the kernel's order. */
  readonly redirecting: readonly F[];
  readonly rule: RouteRule;
  /** Empty unless `mapType` is unknown. */
  readonly missing: readonly MissingFact<F>[];
}

/** The way inside the fabric, before host bridges are thought of. */
interface FabricWay<F extends object> {
  readonly distance: number | 'unknown';
  readonly common: F | null | 'unknown';
  readonly redirecting: readonly F[];
  /** True: no way but through the root complex; false: the common port turns requests around. */
  readonly leavesSwitch: Truth;
  readonly missing: readonly MissingFact<F>[];
}

/**
 * Finds the route of requests that `client` sends to `provider`; `onUnlisted` hears of a host bridge that the list does
 * not know, when redirection is why it was asked.
 * @public
 * @kernel calc_map_type_and_dist
 */
export function calcMapTypeAndDist<F extends object>(
  view: RouteView<F>,
  provider: F,
  client: F,
  rules: HostRules,
  onUnlisted?: (root: RootDevice) => void,
): P2pdmaRoute<F> {
  const way = fabricWay(view, upstreamChain(view, provider), upstreamChain(view, client));
  const { distance, common, redirecting } = way;
  if (way.leavesSwitch === false) {
    const possible = ['bus-addr'] as const;
    return { mapType: 'bus-addr', possible, distance, common, redirecting, rule: 'common-port', missing: [] };
  }
  const host = hostVerdict(view, provider, client, rules, redirecting.length > 0 ? onUnlisted : undefined);
  if (way.leavesSwitch === true && host.allows !== 'unknown') {
    const mapType = host.allows ? 'thru-host-bridge' : 'not-supported';
    return { mapType, possible: [mapType], distance, common, redirecting, rule: host.rule, missing: [] };
  }
  const possible: P2pdmaMapType[] = way.leavesSwitch === true ? [] : ['bus-addr'];
  if (host.allows !== true) possible.push('not-supported');
  if (host.allows !== false) possible.push('thru-host-bridge');
  const missing = [...(way.leavesSwitch === true ? [] : way.missing), ...host.missing];
  return { mapType: 'unknown', possible, distance, common, redirecting, rule: 'unknown', missing };
}

function fabricWay<F extends object>(
  view: RouteView<F>,
  provider: UpstreamChain<F>,
  client: UpstreamChain<F>,
): FabricWay<F> {
  const [above, below] = [provider.functions, client.functions];
  for (const [distA, a] of above.entries()) {
    const distB = below.indexOf(a);
    if (distB < 0) continue;
    const passed = [...above.slice(0, distA + 1), ...below.slice(0, distB)];
    const { redirecting, hidden } = redirectors(view, passed);
    const leavesSwitch = redirecting.length > 0 ? true : hidden.length > 0 ? 'unknown' : false;
    return { distance: distA + distB, common: a, redirecting, leavesSwitch, missing: hidden };
  }
  if (provider.reachesRoot && client.reachesRoot) {
    const distance = above.length + below.length;
    return { distance, common: null, redirecting: [], leavesSwitch: true, missing: [] };
  }
  return wayWithGap(view, provider, client);
}

/** No common port is known, but one may exist above the known part of a chain. */
function wayWithGap<F extends object>(
  view: RouteView<F>,
  provider: UpstreamChain<F>,
  client: UpstreamChain<F>,
): FabricWay<F> {
  const [a, b] = [provider.functions[0] as F, client.functions[0] as F];
  const mayMeet =
    view.sameHost(a, b) !== false &&
    waysToMeet(view, provider, client).some((passed) => redirectors(view, passed).redirecting.length === 0);
  const gaps = [provider, client]
    .filter(({ reachesRoot }) => !reachesRoot)
    .map(({ functions }) => ({ kind: 'upstream-bridge', of: functions.at(-1) as F }) as const);
  if (mayMeet) {
    return {
      distance: 'unknown',
      common: 'unknown',
      redirecting: [],
      leavesSwitch: 'unknown',
      missing: gaps,
    };
  }
  const { redirecting } = redirectors(view, [...provider.functions, ...client.functions]);
  return { distance: 'unknown', common: 'unknown', redirecting, leavesSwitch: true, missing: [] };
}

/** What is passed at least, for every kind of place at which two chains with a gap can meet. */
function waysToMeet<F extends object>(
  view: RouteView<F>,
  provider: UpstreamChain<F>,
  client: UpstreamChain<F>,
): F[][] {
  const ways: F[][] = [];
  for (const [cut, whole] of [
    [provider, client],
    [client, provider],
  ] as const) {
    // The one with the gap hangs below the lowest bridge of the other: that one itself, or the one above it.
    const lowest = view.mayBridge?.(cut.functions[0] as F) === true ? 1 : 2;
    if (!whole.reachesRoot && cut.functions.length >= lowest) {
      ways.push([...cut.functions.slice(0, lowest), ...whole.functions]);
    }
  }
  if (!provider.reachesRoot && !client.reachesRoot) {
    ways.push([...provider.functions, ...client.functions]);
  }
  return ways;
}

function redirectors<F extends object>(
  view: RouteView<F>,
  passed: readonly F[],
): { readonly redirecting: F[]; readonly hidden: MissingFact<F>[] } {
  const redirecting: F[] = [];
  const hidden: MissingFact<F>[] = [];
  for (const fn of passed) {
    const redirects = pciBridgeHasAcsRedir(view, fn);
    if (redirects === true) redirecting.push(fn);
    if (redirects === 'unknown') hidden.push({ kind: 'acs-control', of: fn });
  }
  return { redirecting, hidden };
}

function hostVerdict<F extends object>(
  view: RouteView<F>,
  provider: F,
  client: F,
  rules: HostRules,
  onUnlisted?: (root: RootDevice) => void,
): { readonly allows: Truth; readonly rule: RouteRule; readonly missing: MissingFact<F>[] } {
  if (rules.cpuAllows === true) return { allows: true, rule: 'cpu', missing: [] };
  const listed = hostBridgeWhitelist(view, provider, client, rules.list, onUnlisted);
  const allows = eitherOf(rules.cpuAllows, listed);
  if (allows === true) return { allows, rule: 'host-bridge-listed', missing: [] };
  if (allows === false) return { allows, rule: 'host-bridge-not-listed', missing: [] };
  const missing: MissingFact<F>[] = [];
  if (rules.cpu === 'unknown') missing.push({ kind: 'cpu' });
  if (rules.list === 'unknown') missing.push({ kind: 'kernel-version' });
  if (rules.list !== 'unknown' && listed === 'unknown') {
    for (const of of unclearHosts(view, provider, client)) missing.push({ kind: 'host-bridge', of });
  }
  return { allows, rule: 'unknown', missing };
}

function unclearHosts<F extends object>(view: RouteView<F>, provider: F, client: F): F[] {
  if (view.sameHost(provider, client) === true) return [provider];
  const unclear = [provider, client].filter((fn) => {
    const root = view.rootDevice(fn);
    return root === 'unknown' || (root !== null && Object.values(root).includes('unknown'));
  });
  return unclear.length === 0 ? [provider, client] : unclear;
}
