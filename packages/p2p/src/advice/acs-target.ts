// AcsTarget: a function on a route whose redirecting bits must go, and the texts that make them go.
// Source followed: the syntax of `pci=disable_acs_redir=` and `pci=config_acs=` (flags from the right: SV TB RR CR UF EC DT),
// and of setpci (`ECAP_ACS+6.w=value:mask`).
// config_acs starts from what firmware left; a 1 keeps a bit that perhaps only the kernel had set.
// Simplified: none.

import { ACS } from '@sgfree/hw-model';
import type { DumpedFunction } from '@sgfree/topology';
import { ACS_REDIRECT_MASK } from '../acs-redirect.ts';
import type { P2pdmaRoute } from '../calc-map-type.ts';
import { routeHops } from '../route-hops.ts';
import type { RouteView } from '../route-view.ts';
import { acsControlNow } from './acs-control-now.ts';

/**
 * Bits of one function's ACS control register that must be cleared.
 * @beta
 */
export interface AcsTarget {
  readonly fn: DumpedFunction;
  /** Of RR 0x04, CR 0x08 and EC 0x20 those that are set; all three where the dump hides the register. */
  readonly bits: number;
  /** False where the dump hides the register: perhaps nothing has to go. */
  readonly certain: boolean;
}

/** Bits that the kernel sets by default besides RR and CR. */
const KERNEL_SETS = ACS.sourceValidation | ACS.translationBlocking | ACS.upstreamForwarding;
const HIGHEST_BIT = 6;

/** The targets between the two ends and the common port, in the order of the way. @internal */
export function acsTargets(
  view: RouteView<DumpedFunction>,
  provider: DumpedFunction,
  client: DumpedFunction,
  route: P2pdmaRoute<DumpedFunction>,
): AcsTarget[] {
  if (route.common === null || route.common === 'unknown') return [];
  return routeHops(view, provider, client, route).flatMap(({ at, acsControl, redirects }): AcsTarget[] => {
    if (redirects === false || acsControl === 'absent') return [];
    if (acsControl === 'unknown') return [{ fn: at, bits: ACS_REDIRECT_MASK, certain: false }];
    return [{ fn: at, bits: acsControl & ACS_REDIRECT_MASK, certain: true }];
  });
}

/**
 * `pci=disable_acs_redir=A;B` for these functions.
 * @beta
 */
export const disableRedirectArgument = (targets: readonly AcsTarget[]): string =>
  `pci=disable_acs_redir=${targets.map(({ fn }) => fn.name).join(';')}`;

/**
 * `pci=config_acs=FLAGS@A;FLAGS@B`: 0 for each bit that must go, 1 for SV, TB and UF where they are set now, x otherwise.
 * @beta
 */
export const configAcsArgument = (targets: readonly AcsTarget[]): string =>
  `pci=config_acs=${targets.map((target) => `${flagsOf(target)}@${target.fn.name}`).join(';')}`;

/** The what-if that clears them on the running machine. @internal */
export const clearRunningText = (targets: readonly AcsTarget[]): string =>
  `clear-acs-redirect=${targets.map(({ fn }) => fn.name).join(';')}`;

/** The commands that clear exactly these bits, to be run as root. @internal */
export const setpciCommands = (targets: readonly AcsTarget[]): string[] =>
  targets.map(({ fn, bits }) => `setpci -s ${fn.name} ECAP_ACS+6.w=0:${bits.toString(16)}`);

function flagsOf({ fn, bits }: AcsTarget): string {
  const now = acsControlNow(fn);
  const kept = now === 'absent' ? 0 : now.value & KERNEL_SETS;
  let flags = '';
  for (let bit = HIGHEST_BIT; bit >= 0; bit -= 1) {
    const mask = 2 ** bit;
    flags += (bits & mask) !== 0 ? '0' : (kept & mask) !== 0 ? '1' : 'x';
  }
  return flags;
}
