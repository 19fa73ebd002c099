// Map types on the live fabric: asked once per provider and client, then remembered for as long as the owner lives.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_map_type and the store at the end of calc_map_type_and_dist).
// Kept from Linux: nothing invalidates what is remembered; only a distance query looks at the fabric again and
// refreshes it (p2p-map-type-cache-stale).
// Simplified: none.

import { InternalError, type PciFunction } from '@sgfree/hw-model';
import { warnViolation } from '@sgfree/mm';
import { calcMapTypeAndDist, type P2pdmaMapType, type P2pdmaRoute } from './calc-map-type.ts';
import { fabricRouteView } from './fabric-route-view.ts';
import { mapTypesIndex, type P2pClient } from './p2p-client.ts';
import type { PciDev } from './pci-dev.ts';
import type { P2pdmaProvider } from './pci-p2pdma.ts';
import type { RootDevice } from './route-view.ts';
import { warnOfHostBridge, warnOfRedirection, warnOfRefusal } from './route-warnings.ts';

/** A slot of the map types' xarray: one node when the index is new. */
const XARRAY_NODE_BYTES = 576;

/** A route on a live machine, where nothing is unknown. @internal */
export interface LiveRoute extends P2pdmaRoute<PciFunction> {
  readonly mapType: P2pdmaMapType;
  readonly distance: number;
}

/** Finds the route now and remembers its map type with the owner, if that has peer-to-peer state. @internal */
export function liveRoute(provider: PciDev, client: P2pClient, verbose: boolean): LiveRoute {
  const dev = provider.platform.clientDev(client);
  if (dev === null)
    throw new InternalError(`${client.name}: no function of this machine has its requester id`);
  const { rules, allocate } = provider.platform;
  const unlisted: RootDevice[] = [];
  const route = calcMapTypeAndDist(fabricRouteView, provider.fn, dev.fn, rules, (root) =>
    unlisted.push(root),
  );
  if (route.mapType === 'unknown' || route.distance === 'unknown') {
    throw new InternalError(`the route from ${dev.name} to ${provider.name} is unknown`);
  }
  if (verbose) warnOfRedirection(provider, dev, route);
  // A host bridge that is not listed is spoken of even in queries that are not verbose.
  for (const root of unlisted) warnOfHostBridge(provider, root);
  if (verbose && route.mapType === 'not-supported') warnOfRefusal(provider, dev);
  const mapTypes = provider.p2pdma?.mapTypes;
  const index = mapTypesIndex(dev);
  if (mapTypes !== undefined && (mapTypes.has(index) || allocate(XARRAY_NODE_BYTES))) {
    mapTypes.set(index, route.mapType);
  }
  return { ...route, mapType: route.mapType, distance: route.distance };
}

/**
 * How `client` reaches the memory of `provider`. `not-supported` when the owner has no peer-to-peer state (any more) or
 * the client is not itself a PCI function, and of a provider from before the owner's driver was bound again (rule
 * `p2p-provider-gone`). Posts `p2p:acs-redirect`, `p2p:not-supported` and
 * `p2p:host-bridge-not-listed` the first time.
 * @public
 * @kernel pci_p2pdma_map_type
 */
export function pciP2pdmaMapType(provider: P2pdmaProvider, client: P2pClient): P2pdmaMapType {
  const { owner, bar } = provider;
  const { p2pdma } = owner;
  if (p2pdma === null || !client.isPci) return 'not-supported';
  if (p2pdma.mem[bar] !== provider) {
    // The kernel would read freed memory: the owner's driver was unbound and bound again.
    warnViolation(owner.platform.log, 'p2p-provider-gone', { device: owner.name, bar });
    return 'not-supported';
  }
  return p2pdma.mapTypes.get(mapTypesIndex(client)) ?? liveRoute(provider.owner, client, true).mapType;
}
