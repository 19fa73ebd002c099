// Surroundings: what the history holds around the addresses of faults.
// Source followed: none.
// Simplified: one pass over all remembered mappings for all faults of a device.

import type { BestSlots } from './best-slots.ts';
import { FaultOrder, type PlacedFault } from './fault-order.ts';
import { FaultSweep } from './fault-sweep.ts';
import type { MappingColumns } from './mapping-columns.ts';
import type { MappingHistory } from './mapping-history.ts';
import { type MappingSighting, sightingOf } from './mapping-sighting.ts';
import type { NearestSlots } from './nearest-slots.ts';

/**
 * Around a fault. Neighbours are never another device's.
 * @public
 */
export interface Surroundings {
  /** Mappings whose pages hold the address, best candidate first; at most 32. */
  readonly covering: readonly MappingSighting[];
  /** How many there are, those beyond the 32 included. */
  readonly coveringCount: number;
  readonly belowLive: MappingSighting | undefined;
  readonly belowEnded: MappingSighting | undefined;
  readonly aboveLive: MappingSighting | undefined;
  readonly aboveEnded: MappingSighting | undefined;
  /** Mappings whose memory the address is, read as a physical address; at most 4. */
  readonly byPhysical: readonly MappingSighting[];
  /** Mappings above 4 GiB whose low 32 bits the address is; at most 4. */
  readonly byLow32: readonly MappingSighting[];
}

/** Around an address that no mapping is near. */
export const NOTHING_AROUND: Surroundings = {
  ...{ covering: [], coveringCount: 0, byPhysical: [], byLow32: [] },
  ...{ belowLive: undefined, belowEnded: undefined, aboveLive: undefined, aboveEnded: undefined },
};

/** Looks around faults; in their order. */
export function surroundingsOf(
  history: MappingHistory,
  faults: readonly PlacedFault[],
): ReadonlyMap<PlacedFault, Surroundings> {
  const found = new Map<PlacedFault, Surroundings>();
  for (const alike of byDeviceAndClock(faults)) lookAround(history.columns, alike, found);
  return found;
}

function byDeviceAndClock(faults: readonly PlacedFault[]): PlacedFault[][] {
  const classes = new Map<string, PlacedFault[]>();
  for (const one of faults) {
    const key = `${one.position.byTime} ${one.fault.device}`;
    const alike = classes.get(key);
    if (alike === undefined) classes.set(key, [one]);
    else alike.push(one);
  }
  return [...classes.values()];
}

function lookAround(
  columns: MappingColumns,
  faults: readonly PlacedFault[],
  found: Map<PlacedFault, Surroundings>,
): void {
  const order = new FaultOrder(faults);
  const sweep = new FaultSweep(columns, order);
  sweep.run();
  for (const [index, one] of order.faults.entries())
    found.set(one, resultOf(columns, order, sweep, index, one));
}

function resultOf(
  columns: MappingColumns,
  order: FaultOrder,
  sweep: FaultSweep,
  index: number,
  { fault, position }: PlacedFault,
): Surroundings {
  const seen = (slot: number): MappingSighting => sightingOf(columns, slot, fault, position);
  const all = (best: BestSlots | undefined): MappingSighting[] => (best?.slots ?? []).map(seen);
  const nearest = (slots: NearestSlots): MappingSighting | undefined => {
    const slot = slots.nearest(index, order.length, order.ranks[index] as number);
    return slot < 0 ? undefined : seen(slot);
  };
  return {
    covering: all(sweep.covering[index]),
    coveringCount: sweep.covering[index]?.offered ?? 0,
    belowLive: nearest(sweep.belowLive),
    belowEnded: nearest(sweep.belowEnded),
    aboveLive: nearest(sweep.aboveLive),
    aboveEnded: nearest(sweep.aboveEnded),
    byPhysical: all(sweep.byPhysical[index]),
    byLow32: all(sweep.byLow32[index]),
  };
}
