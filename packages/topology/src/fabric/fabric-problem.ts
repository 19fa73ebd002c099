// FabricProblem: why a live fabric cannot be built from a dump: facts that it does not show, and things no fabric can be.
// Source followed: the rule that what cannot be seen is unknown: nothing is filled in that nobody asked to assume.
// Simplified: every problem is named once, with the function it is about.

import type { DumpedFunction } from '../model/dumped-function.ts';

/**
 * A fact that decides how requests are routed.
 * `upstream`: which bridge is above. `header-type`: bridge or endpoint. `port-type`: which kind of bridge.
 * `bus-numbers`, `bridge-windows`, `acs-control`, `command`: those registers. `egress-vector`: the ports that ACS egress
 * control blocks, and their numbers. `bar-size`, `bar-address`: of a memory BAR. `bus-offset`: how bus addresses and CPU
 * addresses differ below a host bridge. `root-device`: the first function of a root bus, by which kernels know the host.
 * @public
 */
export type FabricFact =
  | 'upstream'
  | 'header-type'
  | 'port-type'
  | 'bus-numbers'
  | 'bridge-windows'
  | 'acs-control'
  | 'egress-vector'
  | 'command'
  | 'bar-size'
  | 'bar-address'
  | 'bus-offset'
  | 'root-device';

/**
 * A fact that the dump does not show.
 * @public
 */
export interface MissingFabricFact {
  readonly fact: FabricFact;
  readonly fn: DumpedFunction;
  /** BAR number, for facts about BARs. */
  readonly bar: number | null;
}

/**
 * Why something that a dump shows cannot stand in a fabric.
 * `virtual-function`: an SR-IOV function has no place of its own. `cardbus-bridge`, `behind-cardbus-bridge`.
 * `bridge-type`: a bridge with the port type of a device. `bus-contradiction`: it sits on another bus than the bridge above
 * leads to. `no-memory-bar`, `bar-unassigned` (still at address 0), `bar-malformed` (no power of two, not aligned, or two
 * in one register). `window-malformed`: no whole MiB, or a 32-bit window above 4 GiB. `address-out-of-range`: at or above
 * 2^52. `bus-offset-mixed`: several offsets below one host bridge. `ranges-overlap`: with memory, or with another host's.
 * @public
 */
export type FabricObstacleCode =
  | 'virtual-function'
  | 'cardbus-bridge'
  | 'behind-cardbus-bridge'
  | 'bridge-type'
  | 'bus-contradiction'
  | 'no-memory-bar'
  | 'bar-unassigned'
  | 'bar-malformed'
  | 'window-malformed'
  | 'address-out-of-range'
  | 'bus-offset-mixed'
  | 'ranges-overlap';

/**
 * Something that no fabric can be built of.
 * @public
 */
export interface FabricObstacle {
  readonly code: FabricObstacleCode;
  readonly fn: DumpedFunction;
  /** BAR number, for obstacles about BARs. */
  readonly bar: number | null;
}

/** What came up while a fabric was planned. */
export class FabricProblems {
  readonly missing: MissingFabricFact[] = [];
  readonly obstacles: FabricObstacle[] = [];

  get none(): boolean {
    return this.missing.length === 0 && this.obstacles.length === 0;
  }

  miss(fact: FabricFact, fn: DumpedFunction, bar: number | null = null): void {
    const known = this.missing.some((one) => one.fact === fact && one.fn === fn && one.bar === bar);
    if (!known) this.missing.push({ fact, fn, bar });
  }

  block(code: FabricObstacleCode, fn: DumpedFunction, bar: number | null = null): void {
    const known = this.obstacles.some((one) => one.code === code && one.fn === fn && one.bar === bar);
    if (!known) this.obstacles.push({ code, fn, bar });
  }
}
