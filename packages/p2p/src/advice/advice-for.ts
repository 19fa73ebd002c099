// AdviceFor: the verdict on a pair today, and every change that was tried and makes it better.
// Source followed: drivers/pci/p2pdma.c for what decides; see each kind of change.
// Simplified: changes are tried one at a time; a move also clears what redirects at the new place.

import type { AcsBoot, AcsKernel, DumpedFunction, GroupOptions, MachineDump } from '@sgfree/topology';
import { calcMapTypeAndDist } from '../calc-map-type.ts';
import { dumpRouteView } from '../dump-route-view.ts';
import type { HostRules } from '../host-rules.ts';
import { routeHops } from '../route-hops.ts';
import { acsKernelOf } from './acs-kernel-of.ts';
import { acsTargets } from './acs-target.ts';
import type { Advice, AdvisedChange, BusAddressChance } from './advice.ts';
import { clearRedirect } from './clear-redirect.ts';
import { groupsOf, type MachineState } from './machine-state.ts';
import { moveDevice } from './move-device.ts';
import { otherCpu, otherKernel } from './other-host-rules.ts';
import { hasOwnRedirectHandler } from './own-redirect-handler.ts';
import type { PairCase } from './pair-case.ts';
import { reveal } from './reveal.ts';
import { egressRefusals } from './what-if-remarks.ts';

/**
 * What advice rests on besides dump and rules.
 * @beta
 */
export interface AdviceOptions {
  /** Whose way to program ACS and to form groups is taken; by default that of the kernel of the rules. */
  readonly acsKernel?: AcsKernel;
  /** What firmware left in ACS registers; by default only what the dump proves. */
  readonly firmware?: AcsBoot['firmware'];
  /** Which IOMMU is on; 'off': nobody has a group. */
  readonly iommu?: GroupOptions['iommu'];
}

/**
 * The verdict on requests of `client` to memory of `provider`, and what would change it. A change stands there only
 * if the algorithm, run again with it, gives a better verdict for certain; hidden facts come first.
 * @beta
 */
export function adviceFor(
  dump: MachineDump,
  provider: DumpedFunction,
  client: DumpedFunction,
  rules: HostRules,
  options: AdviceOptions = {},
): Advice {
  const pair = pairCase(dump, provider, client, rules, options);
  const changes: AdvisedChange[] = [
    ...reveal(pair),
    ...clearRedirect(pair),
    ...otherKernel(pair),
    ...otherCpu(pair),
    ...moveDevice(pair),
  ];
  const remarks = egressRefusals(switchWay(pair));
  return { provider, client, today: pair.today, busAddress: busAddress(pair, changes), changes, remarks };
}

/** The functions up to a common port; none without one: egress control is about peers of one switch. */
function switchWay({ view, provider, client, today }: PairCase): DumpedFunction[] {
  if (today.common === null || today.common === 'unknown') return [];
  return routeHops(view, provider, client, today).map(({ at }) => at);
}

function pairCase(
  dump: MachineDump,
  provider: DumpedFunction,
  client: DumpedFunction,
  rules: HostRules,
  { acsKernel = acsKernelOf(rules.kernel), firmware = 'unknown', iommu }: AdviceOptions,
): PairCase {
  const state: MachineState = { dump, rules, acsKernel, ...(iommu === undefined ? {} : { iommu }) };
  const view = dumpRouteView(dump);
  const today = calcMapTypeAndDist(view, provider, client, rules);
  let found: ReturnType<typeof groupsOf> | undefined;
  const groups = (): ReturnType<typeof groupsOf> => {
    found ??= groupsOf(state);
    return found;
  };
  return { state, acsKernel, firmware, view, provider, client, today, groups };
}

function busAddress(pair: PairCase, changes: readonly AdvisedChange[]): BusAddressChance {
  const { today, view, provider, client } = pair;
  if (today.mapType === 'bus-addr') return 'today';
  if (today.common === null) return 'no-common-switch';
  if (changes.some(({ kind }) => kind === 'clear-redirect')) return 'clear-redirect';
  const fixed = acsTargets(view, provider, client, today).some(
    ({ fn, certain }) => certain && hasOwnRedirectHandler(fn) === true,
  );
  return fixed ? 'not-clearable' : 'unknown';
}
