// Plans that tables of machines share: ports with and without ACS, single and several functions, and what a case holds.
// Source followed: the rules by which the kernel makes IOMMU groups.
// Simplified: for tests only.

import type { GroupOptions } from '../../src/index.ts';
import type { ConfigPlan, MachinePlan } from '../config-machine.ts';

export const ON = [0x1f, 0x1d] as const;
export const OFF = [0x1f, 0x00] as const;
export const ROOT = 4;
export const UP = 5;
export const DOWN = 6;
export const TO_PCI = 7;
export const FROM_PCI = 8;
export const INTEGRATED = 9;
export const COLLECTOR = 10;

export const nic: ConfigPlan = { type: 0 };
export const many: ConfigPlan = { type: 0, mf: true };
export const conventional: ConfigPlan = {};
export const port = (type: number, buses: readonly [number, number], more: ConfigPlan = {}): ConfigPlan => ({
  type,
  buses,
  ...more,
});
export const isolated = (buses: readonly [number, number], more: ConfigPlan = {}): ConfigPlan =>
  port(ROOT, buses, { acs: ON, ...more });

/** A machine and its groups. */
export interface GroupCase {
  readonly key: string;
  readonly machine: MachinePlan;
  /** Groups in order of their numbers; members by address. */
  readonly groups: readonly string[];
  readonly options?: GroupOptions;
}
