// HostIndex: the host bridge above each function of a dump, looked up by root bus.
// Source followed: none; it makes one pass of what would be a search for every function.
// Simplified: none.

import type { DumpedFunction } from '../model/dumped-function.ts';
import type { DumpedHostBridge, MachineDump } from '../model/machine-dump.ts';
import { busKey } from '../model/pci-address.ts';

/** Host bridges of a dump. */
export class HostIndex {
  readonly #hosts: ReadonlyMap<number, DumpedHostBridge>;
  readonly #below: Map<DumpedHostBridge, DumpedFunction[]> = new Map();

  constructor({ hostBridges, functions }: MachineDump) {
    this.#hosts = new Map(hostBridges.map((host) => [busKey(host.place.domain, host.place.bus), host]));
    for (const fn of functions) {
      const host = this.hostOf(fn);
      if (host === undefined) continue;
      const known = this.#below.get(host);
      if (known === undefined) this.#below.set(host, [fn]);
      else known.push(fn);
    }
  }

  /** The host bridge above a function; undefined when the dump does not show it. */
  hostOf({ rootBus }: DumpedFunction): DumpedHostBridge | undefined {
    return rootBus === 'unknown' ? undefined : this.#hosts.get(busKey(rootBus.domain, rootBus.bus));
  }

  /** Every function below a host bridge. */
  below(host: DumpedHostBridge): readonly DumpedFunction[] {
    return this.#below.get(host) ?? [];
  }
}
