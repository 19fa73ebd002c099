// Distances: how far clients are from a provider in bridges, as drivers ask to choose one or to refuse.
// Source followed: drivers/pci/p2pdma.c (pci_p2pdma_distance_many), include/linux/pci-p2pdma.h (pci_p2pdma_distance).
// Kept from Linux: a client that is no PCI function is judged by the PCI function above it here, but not by
// pci_p2pdma_map_type.
// Simplified: none.

import { type P2pClient, pciParentOf } from './p2p-client.ts';
import type { PciDev } from './pci-dev.ts';
import { liveRoute } from './pci-p2pdma-map-type.ts';

/**
 * The sum of the distances of all clients; -1 when there is none, or one cannot reach `provider`. It always looks at the
 * fabric, never at remembered map types, and refreshes those. `verbose` posts the warnings of every client.
 * @public
 * @kernel pci_p2pdma_distance_many
 */
export function pciP2pdmaDistanceMany(
  provider: PciDev,
  clients: readonly P2pClient[],
  verbose: boolean,
): number {
  if (clients.length === 0) return -1;
  let total = 0;
  let refused = false;
  for (const client of clients) {
    const pciClient = pciParentOf(client);
    if (pciClient === null) {
      warnNotPci(provider, client, verbose);
      return -1;
    }
    const { mapType, distance } = liveRoute(provider, pciClient, verbose);
    if (mapType === 'not-supported') refused = true;
    if (refused && !verbose) break;
    total += distance;
  }
  return refused ? -1 : total;
}

function warnNotPci(provider: PciDev, client: P2pClient, verbose: boolean): void {
  const { log } = provider.platform;
  if (verbose && log.enabled) log.post({ kind: 'p2p:not-pci', provider: provider.name, client: client.name });
}

/**
 * The distance of one client; see {@link pciP2pdmaDistanceMany}.
 * @public
 * @kernel pci_p2pdma_distance
 */
export const pciP2pdmaDistance = (provider: PciDev, client: P2pClient, verbose: boolean): number =>
  pciP2pdmaDistanceMany(provider, [client], verbose);
