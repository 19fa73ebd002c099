// A dump as route questions see it: who is above, how ACS stands, who shares a host bridge, whom a root bus begins with.
// Source followed: what calc_map_type_and_dist and host_bridge_whitelist of drivers/pci/p2pdma.c ask of a machine.
// Registers that a what-if changes are asked here too, so that one answer serves before and after.
// Simplified: a control register of which only bits that do not redirect are open counts as known.

import { type AcsControl, redirects } from '../acs/acs-control.ts';
import type { DumpedFunction, Knowledge, RegisterFact } from './dumped-function.ts';
import { firstDeviceOfRootBus, hostBridgeOf, type MachineDump } from './machine-dump.ts';
import { busKey } from './pci-address.ts';

/**
 * The first function of a root bus, by which the kernel recognises the host bridge.
 * @public
 */
export interface DumpedRootDevice {
  readonly vendorId: Knowledge<number>;
  readonly deviceId: Knowledge<number>;
  /** Device number * 8 + function number. */
  readonly devfn: number;
  readonly isRootPort: Knowledge<boolean>;
}

/**
 * Route questions, answered by a dump. It has the shape of the `RouteView` of `@sgfree/p2p`.
 * @public
 */
export class DumpRoutes {
  readonly #dump: MachineDump;
  readonly #controls: ReadonlyMap<DumpedFunction, AcsControl>;
  readonly #rootDevices: Map<number, DumpedRootDevice | 'unknown'> = new Map();

  /** Routes of `dump`, with some ACS control registers as given instead. */
  constructor(dump: MachineDump, controls: ReadonlyMap<DumpedFunction, AcsControl> = new Map()) {
    this.#dump = dump;
    this.#controls = controls;
  }

  /** The bridge above; null on a root bus. */
  upstream(fn: DumpedFunction): DumpedFunction | null | 'unknown' {
    return fn.upstream === 'root' ? null : fn.upstream;
  }

  /** The ACS control register. */
  acsControl(fn: DumpedFunction): RegisterFact {
    const control = this.#controls.get(fn);
    if (control === undefined) return fn.acs.control;
    return redirects(control) === 'unknown' ? 'unknown' : control.value;
  }

  /** Whether both hang from one host bridge. */
  sameHost(a: DumpedFunction, b: DumpedFunction): Knowledge<boolean> {
    if (a.rootBus === 'unknown' || b.rootBus === 'unknown') return 'unknown';
    return busKey(a.rootBus.domain, a.rootBus.bus) === busKey(b.rootBus.domain, b.rootBus.bus);
  }

  /** The first function of the root bus above `fn`; unknown where the dump may lack it. */
  rootDevice(fn: DumpedFunction): DumpedRootDevice | 'unknown' {
    const { rootBus } = fn;
    if (rootBus === 'unknown') return 'unknown';
    const key = busKey(rootBus.domain, rootBus.bus);
    const known = this.#rootDevices.get(key) ?? this.#search(fn);
    this.#rootDevices.set(key, known);
    return known;
  }

  #search(fn: DumpedFunction): DumpedRootDevice | 'unknown' {
    const host = hostBridgeOf(this.#dump, fn);
    const first = host === 'unknown' ? 'unknown' : firstDeviceOfRootBus(host);
    if (first === 'unknown') return 'unknown';
    const { vendorId, deviceId, address, portType } = first;
    const isRootPort = portType === 'unknown' ? 'unknown' : portType === 4;
    return { vendorId, deviceId, devfn: address.device * 8 + address.fn, isRootPort };
  }
}
