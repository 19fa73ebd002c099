// IOMMU groups, derived from the dump: what the kernel would put together when it enumerates these functions.
// Source followed: pci_device_group of the kernel and what it calls: aliases first, then the walk up to the first isolated
// path, then aliases on that bus, then functions of one slot; else a new group with the lowest free number.
// A function whose group depends on something the dump does not show has none here: it is 'unknown'.
// Virtual functions come last: they appear when a driver asks for them.
// Simplified: the others in order of address, as on machines that firmware numbered; VMD only where the dump has one.

import type { AcsControl } from '../acs/acs-control.ts';
import { type AcsKernel, cachesCapability } from '../acs/acs-kernel.ts';
import type { DumpedFunction, Knowledge } from '../model/dumped-function.ts';
import type { MachineDump } from '../model/machine-dump.ts';
import { busKey } from '../model/pci-address.ts';
import { areDmaAliases, isTranslationRoot, isVolumeManagement, makesNoAlias } from './dma-aliases.ts';
import { acsEnabled, acsPathEnabled, type IsolationView } from './isolation.ts';

/**
 * A derived group.
 * @public
 */
export interface DerivedGroup {
  /** Its number; 'unknown' when a function before it may have opened a group of its own, and for virtual functions. */
  readonly number: Knowledge<number>;
  readonly members: readonly DumpedFunction[];
  /** Functions that may belong to it too: the dump does not show enough. */
  readonly mayAlsoHold: readonly DumpedFunction[];
}

/**
 * All groups of a machine.
 * @public
 */
export interface DerivedGroups {
  readonly groups: readonly DerivedGroup[];
  /** The group of a function; 'none' when the IOMMU does not cover it. */
  readonly groupOf: (fn: DumpedFunction) => DerivedGroup | 'none' | 'unknown';
}

/**
 * What grouping depends on besides the dump.
 * @public
 */
export interface GroupOptions {
  /** Default: 7.3. */
  readonly kernel?: AcsKernel;
  /** Which IOMMU is on; by default what the processor suggests, and 'off' is never assumed. */
  readonly iommu?: 'intel' | 'amd' | 'other' | 'off';
  /** ACS control registers that differ from the dump (a what-if). */
  readonly controls?: ReadonlyMap<DumpedFunction, AcsControl>;
}

/** A group while it grows. */
interface GrowingGroup extends DerivedGroup {
  readonly members: DumpedFunction[];
  readonly mayAlsoHold: DumpedFunction[];
}

/** A group, none yet, or undecidable. */
type Found = GrowingGroup | 'unknown' | undefined;

/**
 * Derives the groups.
 * @public
 */
export function deriveIommuGroups(dump: MachineDump, options: GroupOptions = {}): DerivedGroups {
  const grouping = new Grouping(dump, options);
  for (const fn of dump.functions) if (fn.virtualFunction !== true) grouping.place(fn);
  for (const fn of dump.functions) if (fn.virtualFunction === true) grouping.place(fn);
  return { groups: grouping.groups, groupOf: (fn) => grouping.of(fn) };
}

function amdIommu(dump: MachineDump, iommu: GroupOptions['iommu']): Knowledge<boolean> {
  if (iommu !== undefined) return iommu === 'amd';
  if (dump.functions.some(isIommuFunction)) return true;
  return dump.cpu === 'unknown' ? 'unknown' : dump.cpu.vendor === 'AuthenticAMD';
}

/** AMD's own function: it translates for others and is not translated itself. */
const isIommuFunction = ({ classId }: DumpedFunction): boolean => classId === 0x0806;

class Grouping {
  readonly groups: GrowingGroup[] = [];
  readonly #groupOf: Map<DumpedFunction, GrowingGroup | 'unknown' | 'none'> = new Map();
  readonly #onBus: Map<number, DumpedFunction[]> = new Map();
  readonly #view: IsolationView;
  readonly #off: boolean;
  readonly #volumes: readonly DumpedFunction[];
  #numbered = true;

  constructor(dump: MachineDump, { kernel = '7.3', iommu, controls = new Map() }: GroupOptions) {
    this.#view = { kernel, amdIommu: amdIommu(dump, iommu), controls };
    this.#off = iommu === 'off';
    this.#volumes = dump.functions.filter(isVolumeManagement);
    for (const fn of dump.functions) {
      const key = busKey(fn.address.domain, fn.address.bus);
      const present = this.#onBus.get(key);
      if (present === undefined) this.#onBus.set(key, [fn]);
      else present.push(fn);
    }
  }

  of(fn: DumpedFunction): GrowingGroup | 'unknown' | 'none' {
    return this.#groupOf.get(fn) ?? 'unknown';
  }

  place(fn: DumpedFunction): void {
    if (this.#off || isIommuFunction(fn)) {
      this.#groupOf.set(fn, 'none');
      return;
    }
    const group = this.#deviceGroup(fn) ?? this.#newGroup(fn);
    this.#groupOf.set(fn, group);
    if (group !== 'unknown') group.members.push(fn);
    else this.#undecided(fn);
  }

  /** Virtual functions appear when somebody asks for them: no dump tells in which order. */
  #newGroup({ virtualFunction }: DumpedFunction): GrowingGroup {
    if (virtualFunction !== false) this.#numbered = false;
    const group: GrowingGroup = {
      number: this.#numbered ? this.groups.length : 'unknown',
      members: [],
      mayAlsoHold: [],
    };
    this.groups.push(group);
    return group;
  }

  #undecided(fn: DumpedFunction): void {
    this.#numbered = false;
    const near = [...this.#slotMates(fn)];
    for (let { upstream } = fn; typeof upstream !== 'string'; upstream = upstream.upstream)
      near.push(upstream);
    for (const group of new Set(near.map((other) => this.#groupOf.get(other)))) {
      if (typeof group === 'object') group.mayAlsoHold.push(fn);
    }
  }

  #deviceGroup(fn: DumpedFunction): Found {
    const real = this.#realDmaDevice(fn);
    if (real === 'unknown') return 'unknown';
    const alias = this.#aliasWalk(real);
    if (alias === 'unknown' || alias.group !== undefined) return alias === 'unknown' ? alias : alias.group;
    const walk = this.#busWalk(alias.last);
    if (walk === 'unknown' || walk.group !== undefined) return walk === 'unknown' ? walk : walk.group;
    const tried = new Set<DumpedFunction>();
    return this.#aliasGroup(walk.last, tried) ?? this.#slotGroup(walk.last, tried);
  }

  /** Whoever really sends: functions behind a VMD endpoint send under its number. */
  #realDmaDevice(fn: DumpedFunction): Knowledge<DumpedFunction> {
    if (fn.address.domain < 0x10000 || this.#volumes.length === 0) return fn;
    return this.#volumes.length === 1 ? (this.#volumes[0] ?? fn) : 'unknown';
  }

  /** The last device on the way up under whose number requests arrive; its group, if one has one already. */
  #aliasWalk(fn: DumpedFunction): { last: DumpedFunction; group: Found } | 'unknown' {
    let last = fn;
    const own = this.#existing(fn);
    if (own !== undefined) return { last, group: own };
    for (let { upstream } = fn; upstream !== 'root'; upstream = upstream.upstream) {
      if (upstream === 'unknown') return 'unknown';
      if (isTranslationRoot(upstream)) break;
      const seen = this.#addsAlias(upstream);
      if (seen === 'unknown') return 'unknown';
      if (!seen) continue;
      last = upstream;
      const group = this.#existing(upstream);
      if (group !== undefined) return { last, group };
    }
    return { last, group: undefined };
  }

  #addsAlias(bridge: DumpedFunction): Knowledge<boolean> {
    const { portType } = bridge;
    if (portType === 'unknown') return 'unknown';
    if (portType === 7) return !(makesNoAlias(bridge) && cachesCapability(this.#view.kernel));
    return portType === 8 || portType === 'absent';
  }

  /** Up to the first bus whose whole path to the root is isolated. */
  #busWalk(fn: DumpedFunction): { last: DumpedFunction; group: Found } | 'unknown' {
    let last = fn;
    for (let { upstream } = fn; upstream !== 'root'; upstream = upstream.upstream) {
      if (upstream === 'unknown') return 'unknown';
      const isolated = acsPathEnabled(upstream, this.#view);
      if (isolated === 'unknown') return 'unknown';
      if (isolated) break;
      last = upstream;
      const group = this.#existing(upstream);
      if (group !== undefined) return { last, group };
    }
    return { last, group: undefined };
  }

  #existing(fn: DumpedFunction): Found {
    const group = this.#groupOf.get(fn);
    return group === 'none' ? undefined : group;
  }

  #aliasGroup(fn: DumpedFunction, tried: Set<DumpedFunction>): Found {
    if (tried.has(fn)) return undefined;
    tried.add(fn);
    const own = this.#existing(fn);
    if (own !== undefined) return own;
    for (const other of this.#busMates(fn)) {
      const alias = areDmaAliases(fn, other);
      if (alias === false) continue;
      const group = this.#aliasGroup(other, tried) ?? this.#slotGroup(other, tried);
      if (group !== undefined) return alias === true || this.#shareSlot(fn, other) ? group : 'unknown';
    }
    return undefined;
  }

  /** Functions of one slot that are not isolated from each other share. */
  #slotGroup(fn: DumpedFunction, tried: Set<DumpedFunction>): Found {
    if (fn.multifunction === false) return undefined;
    const isolated = acsEnabled(fn, this.#view);
    if (isolated === true) return undefined;
    const unsure = fn.multifunction === 'unknown' || isolated === 'unknown';
    for (const other of this.#slotMates(fn)) {
      const apart = acsEnabled(other, this.#view);
      if (apart === true) continue;
      const group = this.#aliasGroup(other, tried);
      if (group !== undefined) return unsure || apart === 'unknown' ? 'unknown' : group;
    }
    return undefined;
  }

  /** Whether they are together anyway, for want of isolation between functions of a slot. */
  #shareSlot(fn: DumpedFunction, other: DumpedFunction): boolean {
    if (fn.multifunction !== true || fn.address.device !== other.address.device) return false;
    return acsEnabled(fn, this.#view) === false && acsEnabled(other, this.#view) === false;
  }

  #busMates(fn: DumpedFunction): DumpedFunction[] {
    return (this.#onBus.get(busKey(fn.address.domain, fn.address.bus)) ?? []).filter((other) => other !== fn);
  }

  #slotMates(fn: DumpedFunction): DumpedFunction[] {
    return this.#busMates(fn).filter(({ address }) => address.device === fn.address.device);
  }
}
