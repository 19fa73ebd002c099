// MachineState: a dumped machine under one kernel, with ACS registers as dumped or changed; and two such states compared.
// Source followed: what decides routes (calc_map_type_and_dist) and groups (pci_device_group) in the kernel.
// Simplified: both states are of one dump.

import {
  type AcsControl,
  type AcsKernel,
  type DerivedGroups,
  type DumpedFunction,
  deriveIommuGroups,
  type GroupOptions,
  type MachineDump,
} from '@sgfree/topology';
import { calcMapTypeAndDist, type P2pdmaRoute } from '../calc-map-type.ts';
import { dumpRouteView } from '../dump-route-view.ts';
import type { HostRules } from '../host-rules.ts';
import { acsKernelOf } from './acs-kernel-of.ts';
import { compareGroups, type GroupsComparison } from './groups-comparison.ts';

/**
 * A machine, and the kernel on it.
 * @beta
 */
export interface MachineState {
  readonly dump: MachineDump;
  readonly rules: HostRules;
  /** Registers that differ from the dump, as `whatIf` gives them. */
  readonly controls?: ReadonlyMap<DumpedFunction, AcsControl>;
  /** Whose way to form groups is taken; by default that of the kernel of `rules`. */
  readonly acsKernel?: AcsKernel;
  /** Which IOMMU is on; 'off': nobody has a group. */
  readonly iommu?: GroupOptions['iommu'];
}

/**
 * A pair whose verdict differs.
 * @beta
 */
export interface VerdictChange {
  readonly provider: DumpedFunction;
  readonly client: DumpedFunction;
  readonly before: P2pdmaRoute<DumpedFunction>;
  readonly after: P2pdmaRoute<DumpedFunction>;
}

/**
 * What differs between two states.
 * @beta
 */
export interface StateComparison {
  /** Pairs with another map type, or with other possible ones, in the order given. */
  readonly verdicts: readonly VerdictChange[];
  readonly groups: GroupsComparison;
}

/**
 * Compares the verdicts of `pairs` (provider first) and the groups of two states of one dump.
 * @beta
 */
export function compareStates(
  before: MachineState,
  after: MachineState,
  pairs: readonly (readonly [DumpedFunction, DumpedFunction])[],
): StateComparison {
  const then = dumpRouteView(before.dump, before.controls);
  const now = dumpRouteView(after.dump, after.controls);
  const verdicts = pairs.flatMap(([provider, client]): VerdictChange[] => {
    const old = calcMapTypeAndDist(then, provider, client, before.rules);
    const next = calcMapTypeAndDist(now, provider, client, after.rules);
    return sameVerdict(old, next) ? [] : [{ provider, client, before: old, after: next }];
  });
  const groups = compareGroups(before.dump.functions, groupsOf(before), groupsOf(after));
  return { verdicts, groups };
}

const sameVerdict = (one: P2pdmaRoute<DumpedFunction>, other: P2pdmaRoute<DumpedFunction>): boolean =>
  one.mapType === other.mapType && one.possible.join() === other.possible.join();

/**
 * The IOMMU groups of a state.
 * @beta
 */
export function groupsOf({ dump, rules, controls, acsKernel, iommu }: MachineState): DerivedGroups {
  return deriveIommuGroups(dump, {
    kernel: acsKernel ?? acsKernelOf(rules.kernel),
    ...(controls === undefined ? {} : { controls }),
    ...(iommu === undefined ? {} : { iommu }),
  });
}

/** The route of a pair in a state. @internal */
export const routeIn = (
  { dump, controls, rules }: MachineState,
  provider: DumpedFunction,
  client: DumpedFunction,
): P2pdmaRoute<DumpedFunction> => calcMapTypeAndDist(dumpRouteView(dump, controls), provider, client, rules);
