// PairCase: one pair on one machine, with what every kind of change is measured against.
// Source followed: the order of map types is that of drivers/pci/p2pdma.c: refused, through the host bridge, bus address.
// Simplified: a bus address counts as better than the way through the host bridge, whatever the data.

import type { AcsBoot, AcsKernel, DerivedGroups, DumpedFunction } from '@sgfree/topology';
import type { P2pdmaMapType, P2pdmaRoute } from '../calc-map-type.ts';
import type { RouteView } from '../route-view.ts';
import type { MachineState } from './machine-state.ts';

/** A pair, its state, and its route today. @internal */
export interface PairCase {
  readonly state: MachineState;
  readonly acsKernel: AcsKernel;
  readonly firmware: AcsBoot['firmware'];
  readonly view: RouteView<DumpedFunction>;
  readonly provider: DumpedFunction;
  readonly client: DumpedFunction;
  readonly today: P2pdmaRoute<DumpedFunction>;
  /** The groups now; asked for when a change needs them. */
  readonly groups: () => DerivedGroups;
}

const RANK: Readonly<Record<P2pdmaMapType, number>> = {
  'not-supported': 0,
  'thru-host-bridge': 1,
  'bus-addr': 2,
};

/** Whether `after` is certain, and better than the worst that `today` may be. @internal */
export function isBetter(after: P2pdmaRoute<DumpedFunction>, today: P2pdmaRoute<DumpedFunction>): boolean {
  if (after.mapType === 'unknown') return false;
  return RANK[after.mapType] > Math.min(...today.possible.map((mapType) => RANK[mapType]));
}
