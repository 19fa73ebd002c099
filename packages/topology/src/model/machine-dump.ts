// A machine as dumps show it, and the questions that others ask of it.
// Source followed: the PCI tree of the kernel: host bridges with a root bus, bridges below, functions in list order.
// Simplified: a root bus is named by domain and number; nothing is kept of devices that are not PCI.

import type { PhysRange } from '@sgfree/hw-model';
import type { DumpedFunction, Knowledge, PciBusPlace, RegisterFact } from './dumped-function.ts';
import { busKey, formatPciAddress, parsePciAddress } from './pci-address.ts';
import type { TopologyRemark } from './topology-remark.ts';

/**
 * Formats a reader knows.
 * @public
 */
export type TopologyFormat = 'lspci' | 'lspci-tree' | 'nccl-xml' | 'iomem' | 'sysfs' | 'recorded-folder';

/**
 * A host bridge: the top of one PCI tree.
 * @public
 */
export interface DumpedHostBridge {
  readonly place: PciBusPlace;
  /** As the kernel names it: `pci0000:00`. */
  readonly name: string;
  /** Functions on its root bus, in enumeration order. */
  readonly functions: readonly DumpedFunction[];
}

/**
 * A line of `/proc/iomem`.
 * @public
 */
export interface IomemRange extends PhysRange {
  readonly name: string;
  /** How deep it is nested; 0 at the top. */
  readonly depth: number;
}

/**
 * The processor, as far as a source names it.
 * @public
 */
export interface DumpedCpu {
  /** Vendor string of CPUID: `AuthenticAMD`, `GenuineIntel`, ... */
  readonly vendor: string;
  /** Family as /proc/cpuinfo prints it, extended family included. */
  readonly family: number;
  readonly model: Knowledge<number>;
}

/**
 * A machine as one or several dumps show it.
 * @public
 */
export interface MachineDump {
  readonly formats: readonly TopologyFormat[];
  /** All functions, in order of domain, bus, device and function. */
  readonly functions: readonly DumpedFunction[];
  /** Host bridges that the dumps show, in order of domain and bus. */
  readonly hostBridges: readonly DumpedHostBridge[];
  readonly iomem: readonly IomemRange[];
  readonly cpu: DumpedCpu | 'unknown';
  /** True when the source leaves bridges out: hops between functions cannot be counted. */
  readonly partial: boolean;
  readonly remarks: readonly TopologyRemark[];
}

/**
 * The ACS control register, bits 6:0.
 * @public
 */
export const acsControlOf = (fn: DumpedFunction): RegisterFact => fn.acs.control;

/**
 * The bridge above a function, 'root' for one on a root bus, or 'unknown'.
 * @public
 */
export const upstreamOf = (fn: DumpedFunction): DumpedFunction | 'root' | 'unknown' => fn.upstream;

/**
 * The root bus a function hangs from.
 * @public
 */
export const rootBusOf = (fn: DumpedFunction): Knowledge<PciBusPlace> => fn.rootBus;

/**
 * The host bridge a function hangs from.
 * @public
 */
export function hostBridgeOf(dump: MachineDump, fn: DumpedFunction): Knowledge<DumpedHostBridge> {
  const { rootBus } = fn;
  if (rootBus === 'unknown') return 'unknown';
  const key = busKey(rootBus.domain, rootBus.bus);
  return dump.hostBridges.find(({ place }) => busKey(place.domain, place.bus) === key) ?? 'unknown';
}

/**
 * The first function of a root bus, which the kernel takes for the identity of the host bridge. Unless it stands at
 * 00.0, a dump may simply have left out the one before it: then the answer is 'unknown'.
 * @public
 */
export function firstDeviceOfRootBus(bridge: DumpedHostBridge): Knowledge<DumpedFunction> {
  const first = bridge.functions[0];
  if (first === undefined || first.address.device !== 0 || first.address.fn !== 0) return 'unknown';
  return first;
}

/**
 * The function at an address, given as people write it (`03:00.0`, `0000:03:00.0`); undefined when there is none.
 * @public
 */
export function functionAt(dump: MachineDump, address: string): DumpedFunction | undefined {
  const place = parsePciAddress(address);
  if (place === undefined) return undefined;
  const name = formatPciAddress(place);
  return dump.functions.find((fn) => fn.name === name);
}
