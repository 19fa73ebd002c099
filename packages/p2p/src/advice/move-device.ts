// MoveDevice: another place for one of two devices, where their requests would take a better way.
// Source followed: calc_map_type_and_dist and host_bridge_whitelist of drivers/pci/p2pdma.c, run on the machine with the device
// below another port: of a switch above the other device, or of the other device's root bus.
// Simplified: whether a port has a slot, or a device is soldered, is not in a dump; the function alone is moved.

import { type AcsControl, clearedRedirect, type DumpedFunction } from '@sgfree/topology';
import { calcMapTypeAndDist, type P2pdmaMapType, type P2pdmaRoute } from '../calc-map-type.ts';
import { dumpRouteView } from '../dump-route-view.ts';
import type { RouteView } from '../route-view.ts';
import { upstreamChain } from '../upstream-chain.ts';
import { acsControlNow } from './acs-control-now.ts';
import { type AcsTarget, acsTargets } from './acs-target.ts';
import type { FreePort, MoveDeviceChange } from './advice.ts';
import { hasOwnRedirectHandler } from './own-redirect-handler.ts';
import { isBetter, type PairCase } from './pair-case.ts';

const [ENDPOINT, LEGACY_ENDPOINT, ROOT_PORT, SWITCH_UPSTREAM, SWITCH_DOWNSTREAM] = [0, 1, 4, 5, 6];

/** Moves that give a better verdict, where no common port connects the two. @internal */
export function moveDevice(pair: PairCase): MoveDeviceChange[] {
  if (pair.today.common !== null) return [];
  return [...movesOf(pair, pair.client, pair.provider), ...movesOf(pair, pair.provider, pair.client)];
}

function movesOf(pair: PairCase, device: DumpedFunction, other: DumpedFunction): MoveDeviceChange[] {
  if (!isMovable(device)) return [];
  const above = upstreamChain(pair.view, other).functions.slice(1);
  const switches = above.filter(({ portType }) => portType === SWITCH_UPSTREAM);
  return [
    ...switches.flatMap((to) => moveTo(pair, device, other, to, portsBelow(pair, to, above))),
    ...moveTo(pair, device, other, 'host-bridge', rootPortsBeside(pair, other, above)),
  ];
}

const isMovable = ({ portType, upstream }: DumpedFunction): boolean =>
  (portType === ENDPOINT || portType === LEGACY_ENDPOINT) && typeof upstream === 'object';

const portsBelow = (
  { state }: PairCase,
  to: DumpedFunction,
  above: readonly DumpedFunction[],
): DumpedFunction[] =>
  state.dump.functions.filter(
    (fn) => fn.upstream === to && fn.portType === SWITCH_DOWNSTREAM && !above.includes(fn),
  );

const rootPortsBeside = (
  { state, view }: PairCase,
  other: DumpedFunction,
  above: readonly DumpedFunction[],
): DumpedFunction[] =>
  state.dump.functions.filter(
    (fn) => fn.portType === ROOT_PORT && !above.includes(fn) && view.sameHost(fn, other) === true,
  );

interface Tried extends FreePort {
  readonly route: P2pdmaRoute<DumpedFunction>;
}

/** The ports among `candidates` with the best verdict; free ones where there are any. */
function moveTo(
  pair: PairCase,
  device: DumpedFunction,
  other: DumpedFunction,
  to: MoveDeviceChange['to'],
  candidates: readonly DumpedFunction[],
): MoveDeviceChange[] {
  const better = candidates
    .filter((port) => port !== device.upstream)
    .map((port) => tryPort(pair, device, other, port))
    .filter(({ route }) => isBetter(route, pair.today));
  const best = better.some(({ route }) => route.mapType === 'bus-addr') ? 'bus-addr' : 'thru-host-bridge';
  const ports = freeOnes(better.filter(({ route }) => hasType(route, best)));
  const route = ports[0]?.route;
  return route === undefined
    ? []
    : [
        {
          kind: 'move-device',
          route,
          device,
          to,
          ports: ports.map(({ port, free, clear }) => ({ port, free, clear })),
        },
      ];
}

const hasType = ({ mapType }: P2pdmaRoute<DumpedFunction>, wanted: P2pdmaMapType): boolean =>
  mapType === wanted;

function freeOnes(ports: readonly Tried[]): readonly Tried[] {
  const free = ports.filter((each) => each.free);
  return free.length > 0 ? free : ports;
}

function tryPort(pair: PairCase, device: DumpedFunction, other: DumpedFunction, port: DumpedFunction): Tried {
  const { state, provider, client, view } = pair;
  const moved = movedView(view, device, other, port);
  const before = calcMapTypeAndDist(moved, provider, client, state.rules);
  const clear = acsTargets(moved, provider, client, before);
  const cleared = movedView(dumpRouteView(state.dump, controlsWithout(clear)), device, other, port);
  const route = calcMapTypeAndDist(cleared, provider, client, state.rules);
  const free = state.dump.functions.every(({ upstream }) => upstream !== port);
  return { port, free, clear, route };
}

/** Registers of the targets without their redirecting bits, as far as they can be cleared. */
function controlsWithout(targets: readonly AcsTarget[]): Map<DumpedFunction, AcsControl> {
  const controls = new Map<DumpedFunction, AcsControl>();
  for (const { fn } of targets) {
    const now = acsControlNow(fn);
    if (now !== 'absent' && hasOwnRedirectHandler(fn) === false) controls.set(fn, clearedRedirect(now));
  }
  return controls;
}

/** Routes of the pair with `device` below `port`, which hangs from the host bridge of `other`. */
const movedView = (
  view: RouteView<DumpedFunction>,
  device: DumpedFunction,
  other: DumpedFunction,
  port: DumpedFunction,
): RouteView<DumpedFunction> => ({
  upstream: (fn) => (fn === device ? port : view.upstream(fn)),
  acsControl: (fn) => view.acsControl(fn),
  sameHost: () => true,
  rootDevice: () => view.rootDevice(other),
});
