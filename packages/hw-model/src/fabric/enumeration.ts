// Enumeration: what firmware does before a kernel runs: bus numbers depth first, BAR addresses, bridge windows.
// Source followed: PCI-to-PCI Bridge Architecture 1.2, section 3.2.5; PCI Firmware 3.3.
// Everything is done by configuration writes: the bytes are all that is left afterwards.
// Simplified: no spare bus numbers and no room for hot-plug; BARs in order of function, each naturally aligned.

import { alignUp, pciBusAddr, rawOffset } from '../addresses.ts';
import { InternalError } from '../internal-error.ts';
import type { PhysRange } from '../physical-memory.ts';
import type { HostBridge } from './host-bridge.ts';
import type { PciBar } from './pci-bar.ts';
import { PciBridge } from './pci-bridge.ts';
import type { PciBus } from './pci-bus.ts';

const MIB = 2 ** 20;

type BarFilter = (bar: PciBar) => boolean;
type OpenWindow = (bridge: PciBridge, base: number, end: number) => void;

function bridgesOf(bus: PciBus): PciBridge[] {
  return bus.functions.filter((found) => found instanceof PciBridge);
}

function numberBuses(bus: PciBus, number: number): number {
  bus.number = number;
  let last = number;
  for (const bridge of bridgesOf(bus)) {
    const secondary = last + 1;
    if (secondary > 255) throw new InternalError('more than 256 buses');
    last = numberBuses(bridge.secondaryBus, secondary);
    bridge.assignBusNumbers(number, secondary, last);
  }
  return last;
}

function placeBars(bus: PciBus, from: number, wanted: BarFilter, open: OpenWindow): number {
  let cursor = from;
  for (const present of bus.functions) {
    for (const bar of present.bars) {
      if (!wanted(bar)) continue;
      cursor = alignUp(cursor, bar.bytes);
      bar.assign(pciBusAddr(cursor));
      cursor += bar.bytes;
    }
    if (!(present instanceof PciBridge)) continue;
    const base = alignUp(cursor, MIB);
    const end = alignUp(placeBars(present.secondaryBus, base, wanted, open), MIB);
    open(present, base, end);
    if (end > base) cursor = end;
  }
  return cursor;
}

function enableBridges(bus: PciBus): void {
  for (const bridge of bridgesOf(bus)) {
    bridge.setCommand({ memory: true, busMaster: true });
    enableBridges(bridge.secondaryBus);
  }
}

function fillAperture(host: HostBridge, range: PhysRange, wanted: BarFilter, open: OpenWindow): void {
  const base = rawOffset(range.base, host.busOffset);
  const end = placeBars(host.childBus, base, wanted, open);
  if (end > base + range.bytes) throw new InternalError(`${host.name}: BARs need ${end - base} bytes`);
}

/**
 * Gives every bus, BAR and window of the host bridges its number or address, and opens all bridges.
 * Endpoints keep memory and bus mastering off: enabling them is a driver's business.
 * @internal
 */
export function enumerateHosts(hosts: readonly HostBridge[]): void {
  let nextBus = 0;
  for (const host of hosts) {
    const { memoryAperture, prefetchAperture } = host;
    if (rawOffset(memoryAperture.base, host.busOffset + memoryAperture.bytes) > 2 ** 32) {
      throw new InternalError(`${host.name}: the memory aperture must lie below 4 GiB on the bus`);
    }
    nextBus = numberBuses(host.childBus, nextBus) + 1;
    const far: BarFilter = (bar) => prefetchAperture !== null && bar.prefetchable && bar.width === 64;
    fillAperture(
      host,
      memoryAperture,
      (bar) => !far(bar),
      (bridge, base, end) => bridge.openMemoryWindow(base, end),
    );
    const openFar: OpenWindow = (bridge, base, end) => bridge.openPrefetchWindow(base, end);
    if (prefetchAperture !== null) fillAperture(host, prefetchAperture, far, openFar);
    enableBridges(host.childBus);
  }
}
