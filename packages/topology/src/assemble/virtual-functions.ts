// SR-IOV: which functions of a dump are virtual ones, and of whom. Text does not print it, and a virtual function counts
// as single-function whatever its number, hangs where its physical function hangs, and may stand on a bus of no bridge.
// Source followed: PCI Express Base Specification 6.0, section 9.3.3: virtual function i has the number of its physical
// function + First VF Offset + i * VF Stride; section 9.3.4.1: it reads as vendor 0xffff, and never enables memory itself.
// Simplified: whoever may have virtual functions on another bus than its own is asked only for buses of no bridge.

import type { Knowledge } from '../model/dumped-function.ts';
import { addressKey, busKey } from '../model/pci-address.ts';
import { type SriovFacts, sriovFacts } from '../model/sriov-facts.ts';
import type { FunctionDraft } from '../readers/function-draft.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';

/** Functions in use with their physical function. */
export type PhysicalFunctions = ReadonlyMap<SettledFunction, SettledFunction>;

/** Who may have virtual functions that the dump does not count, by domain and by bus: the lowest one. */
interface Doubts {
  readonly byBus: Map<number, number>;
  readonly byDomain: Map<number, number>;
}

const RIDS = 0x10000;
const ENDPOINT = 0;
const INTEGRATED = 9;

/** Settles `virtualFunction` of everybody, as far as the dump shows it. */
export function findVirtualFunctions(
  machine: MachineDraft,
  functions: readonly SettledFunction[],
  extendedShown: boolean,
): PhysicalFunctions {
  const byKey = new Map(functions.map((fn) => [addressKey(fn.address), fn]));
  const physical = new Map<SettledFunction, SettledFunction>();
  const doubts: Doubts = { byBus: new Map(), byDomain: new Map() };
  for (const fn of functions) {
    const draft = machine.functions.get(addressKey(fn.address));
    if (draft === undefined || fn.virtualFunction === true) continue;
    const sriov = sriovOf(draft, fn, extendedShown);
    if (sriov === 'unknown') doubt(doubts, fn);
    else if (sriov !== 'none') claim(fn, sriov, byKey, physical);
  }
  const buses = namedBuses(machine, functions);
  for (const fn of functions) if (fn.virtualFunction === 'unknown') settle(fn, buses, doubts, byKey);
  return physical;
}

function sriovOf(draft: FunctionDraft, fn: SettledFunction, extendedShown: boolean): SriovFacts {
  if (!isEndpoint(fn)) return 'none';
  const bytes = sriovFacts(draft.config);
  if (bytes !== 'unknown') return bytes;
  const { vfEnabled, vfCount, vfOffset, vfStride } = draft.stated;
  if (draft.mixed) return 'unknown';
  if (vfEnabled === false || vfCount === 0) return 'none';
  if (vfCount !== undefined && vfOffset !== undefined && vfStride !== undefined)
    return { count: vfCount, offset: vfOffset, stride: vfStride };
  const isWhole = draft.capabilities === 'listed' && !draft.open && !draft.sriovListed;
  return isWhole && (extendedShown || fn.portType === 'absent') ? 'none' : 'unknown';
}

const isEndpoint = ({ portType, headerType }: SettledFunction): boolean =>
  (portType === ENDPOINT || portType === INTEGRATED || portType === 'unknown') &&
  (headerType === 0 || headerType === 'unknown');

/** Marks the functions that the registers of a physical one count. */
function claim(
  fn: SettledFunction,
  { count, offset, stride }: Exclude<SriovFacts, string>,
  byKey: ReadonlyMap<number, SettledFunction>,
  physical: Map<SettledFunction, SettledFunction>,
): void {
  const key = addressKey(fn.address);
  const last = Math.floor(key / RIDS) * RIDS + RIDS - 1;
  for (let i = 0; i < count && key + offset + i * stride <= last; i += 1) {
    const other = byKey.get(key + offset + i * stride);
    if (other === undefined || other === fn || isShownToBeReal(other)) continue;
    other.virtualFunction = true;
    physical.set(other, fn);
  }
}

function doubt({ byBus, byDomain }: Doubts, { address }: SettledFunction): void {
  const key = addressKey(address);
  const bus = busKey(address.domain, address.bus);
  byBus.set(bus, Math.min(key, byBus.get(bus) ?? key));
  byDomain.set(address.domain, Math.min(key, byDomain.get(address.domain) ?? key));
}

/** Buses that a bridge or a host bridge leads to. */
function namedBuses({ rootBuses }: MachineDraft, functions: readonly SettledFunction[]): Set<number> {
  const named = new Set(rootBuses);
  for (const { address, buses } of functions) {
    if (typeof buses === 'object') named.add(busKey(address.domain, buses.secondary));
    if (address.bus === 0) named.add(busKey(address.domain, address.bus));
  }
  return named;
}

function settle(
  fn: SettledFunction,
  buses: ReadonlySet<number>,
  { byBus, byDomain }: Doubts,
  byKey: ReadonlyMap<number, SettledFunction>,
): void {
  const key = addressKey(fn.address);
  // Without function 0 of its slot a dump may lack the physical function too.
  if (!isShownToBeReal(fn) && !byKey.has(key - fn.address.fn)) return;
  const bus = busKey(fn.address.domain, fn.address.bus);
  const lowest = buses.has(bus) ? byBus.get(bus) : byDomain.get(fn.address.domain);
  if (isShownToBeReal(fn) || lowest === undefined || lowest >= key) fn.virtualFunction = false;
}

function isShownToBeReal(fn: SettledFunction): boolean {
  const { virtualFunction, memoryEnabled, config, known } = fn;
  const isKnown = known[0] === 0xff && known[1] === 0xff;
  const hasVendor: Knowledge<boolean> = isKnown && (config[0] !== 0xff || config[1] !== 0xff);
  return virtualFunction === false || memoryEnabled === true || hasVendor || !isEndpoint(fn);
}
