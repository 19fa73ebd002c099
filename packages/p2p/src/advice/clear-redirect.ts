// ClearRedirect: the functions on a way whose redirecting bits must go, and every way to make them go that does it.
// Source followed: calc_map_type_and_dist of drivers/pci/p2pdma.c: any one of these bits sends requests up, so that all of them
// must go and no other matters. Each way is tried by reading its text again, as the kernel would.
// Simplified: none.

import type { DumpedFunction } from '@sgfree/topology';
import { calcMapTypeAndDist, type P2pdmaRoute } from '../calc-map-type.ts';
import { dumpRouteView } from '../dump-route-view.ts';
import {
  acsTargets,
  clearRunningText,
  configAcsArgument,
  disableRedirectArgument,
  setpciCommands,
} from './acs-target.ts';
import type { ClearRedirectChange, ClearWay } from './advice.ts';
import { compareGroups } from './groups-comparison.ts';
import { groupsOf } from './machine-state.ts';
import { isBetter, type PairCase } from './pair-case.ts';
import { whatIf } from './what-if.ts';

/** The change, or nothing when no text gives a better verdict for certain. @internal */
export function clearRedirect(pair: PairCase): ClearRedirectChange[] {
  const targets = acsTargets(pair.view, pair.provider, pair.client, pair.today);
  if (targets.length === 0) return [];
  const tried = [
    tryWay(pair, 'running', clearRunningText(targets), setpciCommands(targets)),
    tryWay(pair, 'disable_acs_redir', disableRedirectArgument(targets)),
    ...(pair.acsKernel === '6.1' ? [] : [tryWay(pair, 'config_acs', configAcsArgument(targets))]),
  ].filter(({ route }) => isBetter(route, pair.today));
  const route = tried[0]?.route;
  return route === undefined
    ? []
    : [{ kind: 'clear-redirect', route, targets, ways: tried.map(({ way }) => way) }];
}

function tryWay(
  pair: PairCase,
  method: ClearWay['method'],
  argument: string,
  commands: readonly string[] = [],
): { readonly way: ClearWay; readonly route: P2pdmaRoute<DumpedFunction> } {
  const { state, provider, client, acsKernel, firmware } = pair;
  const { dump, rules } = state;
  const effect = whatIf(dump, [argument], { kernel: acsKernel, firmware });
  const route = calcMapTypeAndDist(dumpRouteView(dump, effect.controls), provider, client, rules);
  const after = groupsOf({ ...state, acsKernel, controls: effect.controls });
  const groups = compareGroups(dump.functions, pair.groups(), after);
  return { way: { method, argument, commands, effect, groups }, route };
}
