// DumpRouteView: a dumped machine as the route algorithm sees it; what the dump does not show stays unknown.
// Source followed: drivers/pci/p2pdma.c (what it asks of a function), over the facts that a dump holds.
// Simplified: a dump that leaves bridges out shows nobody's upstream bridge for certain.

import {
  type DumpedFunction,
  type DumpedHostBridge,
  firstDeviceOfRootBus,
  type MachineDump,
} from '@sgfree/topology';
import type { RootDevice, RouteView } from './route-view.ts';
import type { Truth } from './truth.ts';
import { upstreamChain } from './upstream-chain.ts';

const ROOT_PORT = 4;

/**
 * Routes over the functions of a dump.
 * @public
 */
export function dumpRouteView(dump: MachineDump): RouteView<DumpedFunction> {
  const hosts = new Map(dump.hostBridges.map((host) => [host.name, rootDeviceOf(host)]));
  const view: RouteView<DumpedFunction> = {
    upstream: ({ upstream }) => {
      if (upstream === 'root') return null;
      return dump.partial ? 'unknown' : upstream;
    },
    acsControl: ({ acs }) => acs.control,
    sameHost: (a, b) => sameHost(view, a, b),
    rootDevice: ({ rootBus }) => {
      if (rootBus === 'unknown') return 'unknown';
      return hosts.get(hostName(rootBus)) ?? 'unknown';
    },
  };
  return view;
}

/** As `DumpedHostBridge.name` spells it. */
const hostName = ({ domain, bus }: { readonly domain: number; readonly bus: number }): string =>
  `pci${domain.toString(16).padStart(4, '0')}:${bus.toString(16).padStart(2, '0')}`;

function sameHost(view: RouteView<DumpedFunction>, a: DumpedFunction, b: DumpedFunction): Truth {
  if (a.rootBus !== 'unknown' && b.rootBus !== 'unknown') {
    return a.rootBus.domain === b.rootBus.domain && a.rootBus.bus === b.rootBus.bus;
  }
  const tops = [a, b].map((fn) => upstreamChain(view, fn).functions.at(-1));
  return tops[0] === tops[1] ? true : 'unknown';
}

function rootDeviceOf(host: DumpedHostBridge): RootDevice | 'unknown' {
  const first = firstDeviceOfRootBus(host);
  if (first === 'unknown') return 'unknown';
  const { vendorId, deviceId, portType, address } = first;
  const isRootPort = portType === 'unknown' ? 'unknown' : portType === ROOT_PORT;
  return { vendorId, deviceId, devfn: address.device * 8 + address.fn, isRootPort };
}
