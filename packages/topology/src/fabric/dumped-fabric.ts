// DumpedFabric: a live fabric with the functions of a dump in it, ready for requests.
// Source followed: none; it keeps which function of the fabric stands for which of the dump.
// Simplified: functions that are plugged in afterwards are not in its table.

import { HostBridge, type PciFabric, type PciFunction, type PlugPoint } from '@sgfree/hw-model';
import type { DumpedFunction } from '../model/dumped-function.ts';
import type { LeftOutFunction } from './chosen-functions.ts';
import type { UsedAssumption } from './fabric-options.ts';
import type { FabricObstacle, MissingFabricFact } from './fabric-problem.ts';

/**
 * What {@link fabricOfDump} answers.
 * @public
 */
export type FabricOutcome =
  | { readonly ok: true; readonly value: DumpedFabric }
  | {
      readonly ok: false;
      /** Facts that the dump does not show and nobody assumed. */
      readonly missing: readonly MissingFabricFact[];
      /** What no fabric can be built of. */
      readonly obstacles: readonly FabricObstacle[];
    };

/**
 * A fabric built from a dump: bus numbers, BARs, windows and ACS as dumped.
 * @public
 */
export class DumpedFabric {
  readonly fabric: PciFabric;
  /** Functions of the dump that have no place in a fabric; of a whole machine only. */
  readonly leftOut: readonly LeftOutFunction[];
  /** Assumptions that were needed. */
  readonly assumed: readonly UsedAssumption[];
  /** BAR number that a part was built for; null for a whole machine. */
  readonly bar: number | null;
  readonly #functions: ReadonlyMap<DumpedFunction, PciFunction>;
  readonly #places: ReadonlyMap<DumpedFunction, PlugPoint>;

  /** @internal */
  constructor(parts: {
    readonly fabric: PciFabric;
    readonly leftOut: readonly LeftOutFunction[];
    readonly assumed: readonly UsedAssumption[];
    readonly bar: number | null;
    readonly functions: ReadonlyMap<DumpedFunction, PciFunction>;
    readonly places: ReadonlyMap<DumpedFunction, PlugPoint>;
  }) {
    this.fabric = parts.fabric;
    this.leftOut = parts.leftOut;
    this.assumed = parts.assumed;
    this.bar = parts.bar;
    this.#functions = parts.functions;
    this.#places = parts.places;
  }

  /** The function that stands for `fn`; undefined when it was left out, or its place kept vacant. */
  functionOf(fn: DumpedFunction): PciFunction | undefined {
    return this.#functions.get(fn);
  }

  /** Where `fn` is plugged in, or would be: a host bridge or a bridge; undefined when that is not in the fabric. */
  placeOf(fn: DumpedFunction): PlugPoint | undefined {
    return this.#places.get(fn);
  }

  /** True when the bus of `fn` is a conventional one, on which bridges send requests under their own number. */
  isOnConventionalBus(fn: DumpedFunction): boolean {
    const place = this.placeOf(fn);
    return place !== undefined && !(place instanceof HostBridge) && place.kind === 'to-pci';
  }
}
