// RouteWarnings: what the kernel's log says of a route that is asked for verbosely, as model events.
// Source followed: drivers/pci/p2pdma.c (the pci_warn calls of calc_map_type_and_dist and host_bridge_whitelist).
// Simplified: events carry the facts, not the sentences; no rate limits.

import type { PciFunction } from '@sgfree/hw-model';
import type { P2pdmaRoute } from './calc-map-type.ts';
import { pciName } from './fabric-route-view.ts';
import type { PciDev } from './pci-dev.ts';
import type { RootDevice } from './route-view.ts';

/**
 * The kernel parameter that takes redirection off these functions: names with semicolons in between.
 * @public
 */
export const disableAcsRedirParameter = (redirecting: readonly PciFunction[]): string =>
  `pci=disable_acs_redir=${redirecting.map(pciName).join(';')}`;

/** Posts `p2p:acs-redirect` when bits on the way redirect. @internal */
export function warnOfRedirection(
  provider: PciDev,
  client: PciDev,
  { redirecting }: P2pdmaRoute<PciFunction>,
): void {
  const { log } = provider.platform;
  if (!log.enabled || redirecting.length === 0) return;
  log.post({
    kind: 'p2p:acs-redirect',
    provider: provider.name,
    client: client.name,
    functions: redirecting.map(pciName),
    parameter: disableAcsRedirParameter(redirecting),
  });
}

/** Posts `p2p:not-supported`. @internal */
export function warnOfRefusal(provider: PciDev, client: PciDev): void {
  const { log } = provider.platform;
  if (log.enabled) log.post({ kind: 'p2p:not-supported', provider: provider.name, client: client.name });
}

/** Posts `p2p:host-bridge-not-listed`. @internal */
export function warnOfHostBridge(provider: PciDev, { vendorId, deviceId }: RootDevice): void {
  const { log } = provider.platform;
  if (log.enabled) log.post({ kind: 'p2p:host-bridge-not-listed', vendorId, deviceId });
}
