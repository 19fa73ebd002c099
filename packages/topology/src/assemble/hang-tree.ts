// Who hangs below whom: from stated parents (paths, drawings), else from the secondary bus numbers of bridges.
// Source followed: PCI-to-PCI Bridge Architecture 1.2, section 3.2.5: the functions on bus N belong to the one bridge
// whose secondary bus is N. Numbers rise on the way down, so a chain of bridges cannot be a ring.
// A bus that no bridge claims is a root bus only if something shows it: bus 0 (no bridge can have it below), a root port,
// an integrated endpoint or a host bridge on it, or a source that names root buses. Else the bridge is missing.
// A virtual function hangs where its physical one does, whatever its bus.
// Simplified: a bus that two bridges claim belongs to neither.

import type { BridgeBuses, PciBusPlace } from '../model/dumped-function.ts';
import { addressKey, busKey } from '../model/pci-address.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import type { SettledFunction } from './settle-function.ts';
import type { PhysicalFunctions } from './virtual-functions.ts';

/** What is known about a bus. */
type BusOwner = SettledFunction | 'root' | 'unknown';

/** Sets `upstream` and `rootBus` of every function. */
export function hangTree(
  machine: MachineDraft,
  functions: readonly SettledFunction[],
  physical: PhysicalFunctions,
): void {
  const byKey = new Map(functions.map((fn) => [addressKey(fn.address), fn]));
  const owners = new BusOwners(machine, functions, physical);
  for (const fn of functions) {
    const stated = machine.functions.get(addressKey(fn.address))?.stated.parent;
    const byNumber = owners.ownerOf(fn.address);
    fn.upstream = stated === undefined ? byNumber : stated < 0 ? 'root' : (byKey.get(stated) ?? 'unknown');
    if (stated !== undefined && byNumber !== 'unknown' && byNumber !== fn.upstream)
      remarkNesting(machine, fn, byNumber);
  }
  for (const [fn, { upstream }] of physical) if (fn.upstream === 'unknown') fn.upstream = upstream;
  breakRings(machine, functions);
  for (const fn of functions) fn.rootBus = rootBusAbove(physical.get(fn) ?? fn, owners);
}

function remarkNesting(machine: MachineDraft, fn: SettledFunction, byNumber: SettledFunction | 'root'): void {
  const numbers = byNumber === 'root' ? 'a root bus' : byNumber.name;
  machine.remark(
    'nested-differently',
    fn.name,
    `bus numbers put it below ${numbers}`,
    'the drawing or path is taken',
    fn.line,
  );
}

/** A ring needs stated parents that contradict each other; whoever stands in one has no known parent. */
function breakRings(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  const settled = new Set<SettledFunction>();
  for (const fn of functions) {
    const path = new Set<SettledFunction>();
    let at: SettledFunction | 'root' | 'unknown' = fn;
    while (typeof at !== 'string' && !path.has(at) && !settled.has(at)) {
      path.add(at);
      at = at.upstream as SettledFunction | 'root' | 'unknown';
    }
    if (typeof at !== 'string' && path.has(at)) {
      at.upstream = 'unknown';
      machine.remark(
        'nested-differently',
        at.name,
        'it is drawn below itself',
        'what is above it is unknown',
        at.line,
      );
    }
    for (const seen of path) settled.add(seen);
  }
}

function rootBusAbove(fn: SettledFunction, owners: BusOwners): PciBusPlace | 'unknown' {
  let at = fn;
  // No chain is longer: bus numbers and stated parents both end.
  for (let hops = 0; hops < 512; hops += 1) {
    const { upstream } = at;
    if (upstream === 'root') return { domain: at.address.domain, bus: at.address.bus };
    const next = upstream === 'unknown' ? owners.around(at.address) : (upstream as SettledFunction);
    if (next === undefined || next === 'unclear') return 'unknown';
    at = next;
  }
  return 'unknown';
}

interface ClaimedBridge {
  readonly fn: SettledFunction;
  readonly buses: BridgeBuses;
}

/** Buses by the bridge that claims them. */
class BusOwners {
  readonly #owners: Map<number, BusOwner> = new Map();
  readonly #bridges: Map<number, ClaimedBridge[]> = new Map();
  readonly #around: Map<number, SettledFunction | 'unclear' | undefined> = new Map();
  readonly #machine: MachineDraft;
  readonly #physical: PhysicalFunctions;

  constructor(machine: MachineDraft, functions: readonly SettledFunction[], physical: PhysicalFunctions) {
    this.#machine = machine;
    this.#physical = physical;
    for (const fn of functions) if (typeof fn.buses !== 'string') this.#claim(fn, fn.buses);
    const seen = new Map<number, SettledFunction[]>();
    for (const fn of functions) {
      const key = busKey(fn.address.domain, fn.address.bus);
      const others = seen.get(key);
      if (others === undefined) seen.set(key, [fn]);
      else others.push(fn);
    }
    for (const [key, present] of seen) this.#settle(key, present);
  }

  ownerOf({ domain, bus }: PciBusPlace): BusOwner {
    return this.#owners.get(busKey(domain, bus)) ?? 'unknown';
  }

  /** The bridge with the narrowest range of buses around a bus; 'unclear' when such ranges are not nested. */
  around({ domain, bus }: PciBusPlace): SettledFunction | 'unclear' | undefined {
    const key = busKey(domain, bus);
    if (!this.#around.has(key)) this.#around.set(key, this.#search(domain, bus));
    return this.#around.get(key);
  }

  #search(domain: number, bus: number): SettledFunction | 'unclear' | undefined {
    const ranges = (this.#bridges.get(domain) ?? [])
      .filter(({ buses }) => bus >= buses.secondary && bus <= buses.subordinate)
      .sort((one, other) => one.buses.secondary - other.buses.secondary);
    const isNested = ranges.every(({ fn, buses }, position) => {
      const outer = ranges[position - 1]?.buses;
      return (
        outer === undefined || (fn.address.bus >= outer.secondary && buses.subordinate <= outer.subordinate)
      );
    });
    return isNested ? ranges.at(-1)?.fn : 'unclear';
  }

  #claim(fn: SettledFunction, buses: BridgeBuses): void {
    const { secondary, subordinate } = buses;
    const { domain, bus } = fn.address;
    // A bridge that firmware left alone has zeros here.
    if (secondary === 0 && subordinate === 0) return;
    if (secondary <= bus || subordinate < secondary) {
      this.#machine.remark(
        'bus-numbers-invalid',
        fn.name,
        `secondary ${secondary}, subordinate ${subordinate} on bus ${bus}`,
        'it is taken to have no bus below it',
        fn.line,
      );
      return;
    }
    const bridges = this.#bridges.get(domain);
    if (bridges === undefined) this.#bridges.set(domain, [{ fn, buses }]);
    else bridges.push({ fn, buses });
    const key = busKey(domain, secondary);
    const other = this.#owners.get(key);
    if (other === undefined) this.#owners.set(key, fn);
    else {
      const who = typeof other === 'string' ? 'other bridges' : other.name;
      this.#owners.set(key, 'unknown');
      this.#machine.remark(
        'bus-claimed-twice',
        fn.name,
        `bus ${secondary} is also claimed by ${who}`,
        'what is above the functions of that bus is unknown',
        fn.line,
      );
    }
  }

  #settle(key: number, present: readonly SettledFunction[]): void {
    const fn = present[0];
    if (this.#owners.has(key) || fn === undefined) return;
    // Virtual functions may fill buses of their own, which no bridge names.
    if (present.every((other) => this.#physical.has(other))) return;
    if (this.#isRoot(key, present)) {
      this.#owners.set(key, 'root');
      return;
    }
    this.#owners.set(key, 'unknown');
    const stated = this.#machine.functions.get(addressKey(fn.address))?.stated.parent;
    if (stated !== undefined || this.#machine.partial) return;
    this.#machine.remark(
      'bus-without-bridge',
      fn.name,
      `no bridge of the dump leads to its bus`,
      'what is above it is unknown',
      fn.line,
    );
  }

  #isRoot(key: number, present: readonly SettledFunction[]): boolean {
    const address = present[0]?.address ?? { domain: 0, bus: 0 };
    if (this.#machine.partial) return false;
    if (this.#machine.rootBuses.has(key) || address.bus === 0) return true;
    return this.around(address) === undefined && present.some(showsRootBus);
  }
}

/** Root ports and integrated functions sit on root buses only, and so does a host bridge. */
function showsRootBus({ portType, classId, address }: SettledFunction): boolean {
  if (portType === 4 || portType === 9 || portType === 10) return true;
  return portType === 'absent' && classId === 0x0600 && address.device === 0 && address.fn === 0;
}
