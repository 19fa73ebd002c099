// HostBridge: where a root bus meets the CPU's address space: apertures, an address offset, a peer-to-peer rule.
// Source followed: PCI Firmware 3.3, section 4.1 (host bridge windows); the kernel's pci_host_bridge window offset.
// Simplified: memory apertures only, no I/O space; the CPU's accesses are never reordered or combined.

import {
  byteDistance,
  liesWithin,
  type PciBusAddr,
  type PhysAddr,
  pciBusAddr,
  rawOffset,
} from '../addresses.ts';
import type { MmioTarget, PhysRange } from '../physical-memory.ts';
import { PciBus } from './pci-bus.ts';

/**
 * How far a host bridge forwards requests of one device to another device's BAR.
 * @public
 */
export type HostPeerRule = 'none' | 'same-bridge' | 'any';

/**
 * How a host bridge is made.
 * @public
 */
export interface HostBridgeSpec {
  readonly name?: string;
  /** CPU range for 32-bit and non-prefetchable BARs; to be enumerated it must lie below 4 GiB on the bus. May be empty. */
  readonly memoryAperture: PhysRange;
  /** CPU range for prefetchable 64-bit BARs; without one they share `memoryAperture`. */
  readonly prefetchAperture?: PhysRange;
  /** Further CPU ranges that lead to this bridge's buses; enumeration places nothing there. */
  readonly moreApertures?: readonly PhysRange[];
  /** PCI segment (domain); default 0. */
  readonly segment?: number;
  /** Bus address minus CPU physical address; default 0 as on x86. */
  readonly busOffset?: number;
  /** Default `any`. `any` on both sides is needed between two host bridges. */
  readonly peerToPeer?: HostPeerRule;
  /**
   * Ids of function 00.0, which kernels read to recognise the root complex. Default 8086:2020. Null: the root bus is
   * left empty.
   */
  readonly identity?: { readonly vendorId: number; readonly deviceId: number } | null;
}

/**
 * A host bridge with its root bus.
 * @public
 */
export class HostBridge {
  readonly name: string;
  readonly childBus: PciBus;
  readonly memoryAperture: PhysRange;
  readonly prefetchAperture: PhysRange | null;
  /** Every aperture that holds an address. */
  readonly apertures: readonly PhysRange[];
  readonly segment: number;
  readonly busOffset: number;
  peerToPeer: HostPeerRule;

  constructor(spec: HostBridgeSpec) {
    this.name = spec.name ?? 'host';
    this.memoryAperture = spec.memoryAperture;
    this.prefetchAperture = spec.prefetchAperture ?? null;
    const all = [spec.memoryAperture, this.prefetchAperture, ...(spec.moreApertures ?? [])];
    this.apertures = all.filter((range) => range !== null && range.bytes > 0) as PhysRange[];
    this.segment = spec.segment ?? 0;
    this.busOffset = spec.busOffset ?? 0;
    this.peerToPeer = spec.peerToPeer ?? 'any';
    this.childBus = new PciBus(this, null);
  }

  /** True when all of [address, address + bytes) belongs to this bridge's apertures. */
  holds(address: PhysAddr, bytes: number): boolean {
    for (const range of this.apertures) if (rangeHolds(range, address, bytes)) return true;
    return false;
  }
}

/**
 * Answers the CPU's loads and stores to one aperture by routing them down like every request from above.
 * @internal
 */
export class HostAperture implements MmioTarget {
  readonly #host: HostBridge;
  readonly #range: PhysRange;

  constructor(host: HostBridge, range: PhysRange) {
    this.#host = host;
    this.#range = range;
  }

  mmioRead(offset: number, into: Uint8Array): boolean {
    const address = this.#busAddress(offset);
    const bar = this.#host.childBus.claim(address, rawOffset(address, into.length));
    return bar?.target.mmioRead(byteDistance(bar.address, address), into) ?? false;
  }

  mmioWrite(offset: number, from: Uint8Array): boolean {
    const address = this.#busAddress(offset);
    const bar = this.#host.childBus.claim(address, rawOffset(address, from.length));
    return bar?.target.mmioWrite(byteDistance(bar.address, address), from) ?? false;
  }

  #busAddress(offset: number): PciBusAddr {
    return pciBusAddr(rawOffset(this.#range.base, offset + this.#host.busOffset));
  }
}

function rangeHolds(range: PhysRange, address: PhysAddr, bytes: number): boolean {
  return liesWithin(address, bytes, range.base, range.bytes);
}
