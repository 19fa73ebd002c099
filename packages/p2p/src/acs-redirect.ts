// ACS redirection as p2pdma sees it: three bits of the control register, whatever the capability or a quirk says.
// Source followed: drivers/pci/p2pdma.c (pci_bridge_has_acs_redir).
// Simplified: none.

import { ACS } from '@sgfree/hw-model';
import type { RouteView } from './route-view.ts';
import type { Truth } from './truth.ts';

/**
 * The bits of the ACS control register that send a peer's request up: request redirect, completion redirect, egress
 * control.
 * @public
 */
export const ACS_REDIRECT_MASK: number = ACS.requestRedirect | ACS.completionRedirect | ACS.egressControl;

/**
 * True when `fn`, bridge or endpoint, has a redirecting bit set; false without the capability.
 * @public
 * @kernel pci_bridge_has_acs_redir
 */
export function pciBridgeHasAcsRedir<F extends object>(view: RouteView<F>, fn: F): Truth {
  const control = view.acsControl(fn);
  if (control === 'absent') return false;
  return control === 'unknown' ? 'unknown' : (control & ACS_REDIRECT_MASK) !== 0;
}
