// RouteView: the few questions that the route between two functions depends on, asked of a live fabric or of a dump.
// Source followed: drivers/pci/p2pdma.c (what calc_map_type_and_dist and host_bridge_whitelist look at).
// Simplified: a machine answers for its functions as objects; how it names them is its own business.

import type { Truth } from './truth.ts';

/**
 * The first function on a root bus, by which the host bridge above it is recognised.
 * @public
 */
export interface RootDevice {
  readonly vendorId: number | 'unknown';
  readonly deviceId: number | 'unknown';
  /** Device number \<\< 3 | function number. */
  readonly devfn: number;
  /** True for a PCI Express root port. */
  readonly isRootPort: Truth;
}

/**
 * A machine as the route algorithm sees it. Whatever a dump does not tell is `'unknown'`, never "off" or "none".
 * @public
 */
export interface RouteView<F extends object> {
  /** The bridge whose secondary bus holds `fn` (for a virtual function: its physical one); null on a root bus. */
  upstream(fn: F): F | null | 'unknown';
  /** The ACS control register of `fn` now, 16 bits. */
  acsControl(fn: F): number | 'absent' | 'unknown';
  /** True when both functions lie below one host bridge. */
  sameHost(a: F, b: F): Truth;
  /** The first function in the list of the root bus above `fn`; null when that bus has none. */
  rootDevice(fn: F): RootDevice | null | 'unknown';
  /** Whether functions can hang below `fn` that a dump does not show there; left out where nothing is hidden. */
  mayBridge?(fn: F): boolean;
}
