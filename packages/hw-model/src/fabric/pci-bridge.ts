// PciBridge: a root port, one port of a switch, or a bridge to or from conventional PCI: it forwards what its programmed
// windows cover.
// Source followed: PCI-to-PCI Bridge Architecture 1.2, sections 3.2.5 and 4.2; PCI Express Base 6.0, section 1.3.3.
// Simplified: no bridge BARs, no I/O windows; a port of a switch is one function.

import { ACS, type AddressType } from './access-control-services.ts';
import {
  PCI_MEMORY_BASE,
  PCI_MEMORY_LIMIT,
  PCI_PREF_BASE_UPPER32,
  PCI_PREF_LIMIT_UPPER32,
  PCI_PREF_MEMORY_BASE,
  PCI_PREF_MEMORY_LIMIT,
  PCI_PRIMARY_BUS,
  PCI_SECONDARY_BUS,
  PCI_SUBORDINATE_BUS,
} from './config-header.ts';
import type { PciBar } from './pci-bar.ts';
import { PciBus } from './pci-bus.ts';
import { portNumberOf } from './pci-express-capability.ts';
import { type FunctionPlace, PciFunction } from './pci-function.ts';

const MIB = 2 ** 20;

/**
 * Which kind of port a bridge is. `to-pci`: a conventional bus lies below it; `to-express`: it sits on one, and a link
 * lies below.
 * @public
 */
export type PortKind = 'root-port' | 'upstream' | 'downstream' | 'to-pci' | 'to-express';

/**
 * A root port, a port of a switch, or a bridge to or from conventional PCI.
 * @public
 */
export class PciBridge extends PciFunction {
  readonly kind: PortKind;
  override readonly secondaryBus: PciBus;
  #seen = -1;
  #memoryBase = 0;
  #memoryEnd = 0;
  #prefetchBase = 0;
  #prefetchEnd = 0;
  #secondary = 0;
  #subordinate = 0;
  #acsControl = 0;

  constructor(place: FunctionPlace, kind: PortKind) {
    super(place, []);
    this.kind = kind;
    this.secondaryBus = new PciBus(place.bus.host, this);
  }

  /** Number of this port in its switch or root complex. */
  get portNumber(): number {
    return portNumberOf(this.config);
  }

  /** The ACS control register now; 0 when the port has none. */
  get acsControl(): number {
    this.#decodeBridge();
    return this.#acsControl;
  }

  /** True when the windows, being enabled, cover all of [address, end). */
  covers(address: number, end: number): boolean {
    if (!this.memoryEnabled) return false;
    this.#decodeBridge();
    return (
      (address >= this.#memoryBase && end <= this.#memoryEnd) ||
      (address >= this.#prefetchBase && end <= this.#prefetchEnd)
    );
  }

  /** ACS source validation: true when a requester on this bus number may send through this port. */
  admitsSource(busNumber: number): boolean {
    if ((this.acsControl & ACS.sourceValidation) === 0) return true;
    this.#decodeBridge();
    return busNumber >= this.#secondary && busNumber <= this.#subordinate;
  }

  /** ACS translation blocking: true when a request with an address of this type may enter this port. */
  admitsAddressType(addressType: AddressType): boolean {
    return addressType === 'untranslated' || (this.acsControl & ACS.translationBlocking) === 0;
  }

  override claim(address: number, end: number): PciBar | null {
    return this.covers(address, end) ? this.secondaryBus.claim(address, end) : null;
  }

  /** Programs the bus number registers. */
  assignBusNumbers(primary: number, secondary: number, subordinate: number): void {
    this.config.write(PCI_PRIMARY_BUS, 1, primary);
    this.config.write(PCI_SECONDARY_BUS, 1, secondary);
    this.config.write(PCI_SUBORDINATE_BUS, 1, subordinate);
  }

  /** Programs the memory window to [base, end), whole MiB below 4 GiB; end = base closes it. */
  openMemoryWindow(base: number, end: number): void {
    this.config.write(PCI_MEMORY_BASE, 2, end > base ? (base / MIB) * 16 : 0xfff0);
    this.config.write(PCI_MEMORY_LIMIT, 2, end > base ? (end / MIB - 1) * 16 : 0);
  }

  /** Programs the prefetchable window to [base, end), whole MiB; end = base closes it. */
  openPrefetchWindow(base: number, end: number): void {
    const open = end > base;
    const last = end - MIB;
    this.config.write(PCI_PREF_MEMORY_BASE, 2, open ? ((base % 2 ** 32) / MIB) * 16 : 0xfff0);
    this.config.write(PCI_PREF_MEMORY_LIMIT, 2, open ? ((last % 2 ** 32) / MIB) * 16 : 0);
    this.config.write(PCI_PREF_BASE_UPPER32, 4, open ? Math.floor(base / 2 ** 32) : 0xffffffff);
    this.config.write(PCI_PREF_LIMIT_UPPER32, 4, open ? Math.floor(last / 2 ** 32) : 0);
  }

  #decodeBridge(): void {
    if (this.#seen === this.config.generation) return;
    const config = this.config;
    this.#seen = config.generation;
    // Bits 15:4 are A31:20; the limit names the last MiB of the window.
    const edge = (offset: number): number => (config.read(offset, 2) >> 4) * MIB;
    this.#memoryBase = edge(PCI_MEMORY_BASE);
    this.#memoryEnd = edge(PCI_MEMORY_LIMIT) + MIB;
    this.#prefetchBase = edge(PCI_PREF_MEMORY_BASE) + config.read(PCI_PREF_BASE_UPPER32, 4) * 2 ** 32;
    this.#prefetchEnd = edge(PCI_PREF_MEMORY_LIMIT) + MIB + config.read(PCI_PREF_LIMIT_UPPER32, 4) * 2 ** 32;
    this.#secondary = config.read(PCI_SECONDARY_BUS, 1);
    this.#subordinate = config.read(PCI_SUBORDINATE_BUS, 1);
    this.#acsControl = this.acsAt === 0 ? 0 : config.read(this.acsAt + 6, 2);
  }
}
