// Advice: what would change the verdict on a pair, and what that costs.
// Source followed: the facts that decide in drivers/pci/p2pdma.c: ACS registers on the way, the CPU, the host-bridge list of a
// kernel version, the place of a device; and how the kernel programs ACS and forms groups.
// Simplified: what a change does to speed is not said.

import type { DumpedFunction } from '@sgfree/topology';
import type { MissingFact, P2pdmaMapType, P2pdmaRoute } from '../calc-map-type.ts';
import type { HostBridgeRow } from '../host-bridge-list.ts';
import type { P2pCpu } from '../host-rules.ts';
import type { KnownKernel } from '../kernel-version.ts';
import type { AcsTarget } from './acs-target.ts';
import type { GroupsComparison } from './groups-comparison.ts';
import type { WhatIf } from './what-if.ts';
import type { WhatIfRemark } from './what-if-mistake.ts';

/**
 * One way to clear redirecting bits. Its verdict was found by reading `argument` again and running the algorithm.
 * @beta
 */
export interface ClearWay {
  /** On the running machine, or by one of two boot parameters. */
  readonly method: 'running' | 'disable_acs_redir' | 'config_acs';
  /** Text for `whatIf`; for a boot parameter it is the kernel's argument. */
  readonly argument: string;
  /** What to run as root; empty for a boot parameter. */
  readonly commands: readonly string[];
  /** Registers afterwards, bits lost besides, remarks. */
  readonly effect: WhatIf;
  /** Groups as the registers make them; a running kernel keeps its groups (remark `groups-stay`). */
  readonly groups: GroupsComparison;
}

/**
 * Clearing RR, CR and EC of exactly these functions, which are all on the way, gives a bus address.
 * @beta
 */
export interface ClearRedirectChange {
  readonly kind: 'clear-redirect';
  readonly route: P2pdmaRoute<DumpedFunction>;
  readonly targets: readonly AcsTarget[];
  readonly ways: readonly ClearWay[];
}

/**
 * Kernels whose list has the host bridges.
 * @beta
 */
export interface KernelVersionChange {
  readonly kind: 'kernel-version';
  readonly route: P2pdmaRoute<DumpedFunction>;
  /** Oldest first. */
  readonly kernels: readonly KnownKernel[];
  /** The row that each function's host bridge matches there. */
  readonly rows: readonly { readonly below: DumpedFunction; readonly row: HostBridgeRow }[];
}

/**
 * A CPU that allows every pair.
 * @beta
 */
export interface CpuChange {
  readonly kind: 'cpu';
  readonly route: P2pdmaRoute<DumpedFunction>;
  /** The oldest such CPU. */
  readonly cpu: P2pCpu;
}

/**
 * A port to which a device could be moved.
 * @beta
 */
export interface FreePort {
  readonly port: DumpedFunction;
  /** False when a device is there now. */
  readonly free: boolean;
  /** What must be cleared besides. */
  readonly clear: readonly AcsTarget[];
}

/**
 * Another place for one of the two devices.
 * @beta
 */
export interface MoveDeviceChange {
  readonly kind: 'move-device';
  readonly route: P2pdmaRoute<DumpedFunction>;
  readonly device: DumpedFunction;
  /** The upstream port of the switch above the other device; 'host-bridge': another port of its root bus. */
  readonly to: DumpedFunction | 'host-bridge';
  /** Ports that give this verdict; only free ones where there are any. */
  readonly ports: readonly FreePort[];
}

/**
 * A fact that the dump hides, and what each answer would make possible.
 * @beta
 */
export interface HiddenFact {
  readonly fact: MissingFact<DumpedFunction>;
  readonly outcomes: readonly { readonly answer: string; readonly possible: readonly P2pdmaMapType[] }[];
  /** How to get it. */
  readonly how: string;
}

/**
 * Facts to be found out before anything is changed.
 * @beta
 */
export interface RevealChange {
  readonly kind: 'reveal';
  readonly facts: readonly HiddenFact[];
}

/**
 * Something that would change the verdict.
 * @beta
 */
export type AdvisedChange =
  | RevealChange
  | ClearRedirectChange
  | KernelVersionChange
  | CpuChange
  | MoveDeviceChange;

/**
 * What can be said of bus addresses for the pair.
 * `today`: it has them. `clear-redirect`: once bits are cleared. `no-common-switch`: nothing in software gives them.
 * `not-clearable`: a port on the way redirects in a register that nobody can change. `unknown`: the dump hides it.
 * @beta
 */
export type BusAddressChance = 'today' | 'clear-redirect' | 'no-common-switch' | 'not-clearable' | 'unknown';

/**
 * The verdict on a pair, and what would change it.
 * @beta
 */
export interface Advice {
  readonly provider: DumpedFunction;
  readonly client: DumpedFunction;
  readonly today: P2pdmaRoute<DumpedFunction>;
  readonly busAddress: BusAddressChance;
  /** Every one was tried; none where nothing better is possible. */
  readonly changes: readonly AdvisedChange[];
  /** `egress-refuses`: where hardware refuses what the kernel takes for redirected. */
  readonly remarks: readonly WhatIfRemark[];
}
