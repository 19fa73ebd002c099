// CpuView: memory as the CPU's loads and stores see it: through its caches, or past them.
// Source followed: none.
// Simplified: one CPU's view for all CPUs, since their caches agree with each other.

import type { PhysAddr } from '../addresses.ts';

/**
 * Loads and stores of the CPU, with the conventions of {@link PhysicalMemory.read} and {@link PhysicalMemory.write}.
 * @public
 */
export interface CpuView {
  read(address: PhysAddr, into: Uint8Array, at?: number, count?: number): boolean;
  write(address: PhysAddr, from: Uint8Array, at?: number, count?: number): boolean;
}
