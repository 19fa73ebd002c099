// PciBus: the functions one can reach without passing a bridge: a root bus, a link, or the inside of a switch.
// Source followed: PCI Express Base Specification 6.0, section 1.3 (fabric topology).
// Simplified: the order of functions is by device and function number.

import { InternalError } from '../internal-error.ts';
import type { HostBridge } from './host-bridge.ts';
import type { PciBar } from './pci-bar.ts';
import type { PciBridge } from './pci-bridge.ts';
import type { PciFunction } from './pci-function.ts';

/**
 * One bus of the hierarchy.
 * @public
 */
export class PciBus {
  /** Bus number, set by enumeration; 0 before. */
  number = 0;
  readonly host: HostBridge;
  /** The bridge this bus is the secondary side of; null for a root bus. */
  readonly bridge: PciBridge | null;
  readonly #functions: PciFunction[] = [];

  constructor(host: HostBridge, bridge: PciBridge | null) {
    this.host = host;
    this.bridge = bridge;
  }

  /** True where functions reach one another without a port between them: a conventional bus, or the inside of a switch. */
  get isShared(): boolean {
    const kind = this.bridge?.kind;
    return kind === 'to-pci' || kind === 'upstream';
  }

  get functions(): readonly PciFunction[] {
    return this.#functions;
  }

  /** Plugs a function in; its devfn must be free. */
  plug(plugged: PciFunction): void {
    const at = this.#functions.findIndex((other) => other.devfn >= plugged.devfn);
    if (this.#functions[at]?.devfn === plugged.devfn) {
      throw new InternalError(`${plugged.name}: devfn ${plugged.devfn} is taken`);
    }
    this.#functions.splice(at < 0 ? this.#functions.length : at, 0, plugged);
  }

  /** The lowest device number with no function; 32 when the bus is full. */
  get freeDevice(): number {
    let device = 0;
    for (const present of this.#functions) if (present.device === device) device += 1;
    return device;
  }

  /** The BAR, here or below, that answers [address, end); null when nobody does. */
  claim(address: number, end: number): PciBar | null {
    for (const candidate of this.#functions) {
      const bar = candidate.claim(address, end);
      if (bar !== null) return bar;
    }
    return null;
  }
}
