// fabricOfDump: the live fabric of a dumped machine, or of the part of it that two functions need.
// Source followed: nothing is enumerated: buses, BARs, windows and control registers stand as firmware and kernel left
// them, so that requests go the way they would go there.
// First everything is planned; only a plan without a problem touches memory or makes a fabric.
// Simplified: memory behind BARs is plain; bridges have no BARs; VMD endpoints are not linked to their domains.

import {
  BarMemory,
  type ConfiguredBar,
  type HostBridge,
  PciFabric,
  type PciFunction,
  type PlugPoint,
  pciBusAddr,
  physAddr,
} from '@sgfree/hw-model';
import type { DumpedFunction, DumpedResource, Knowledge } from '../model/dumped-function.ts';
import type { DumpedHostBridge, MachineDump } from '../model/machine-dump.ts';
import { windowsHold } from './bridge-windows.ts';
import { type ChosenFunctions, chooseFunctions, type FunctionRole, usersOf } from './chosen-functions.ts';
import { DumpedFabric, type FabricOutcome } from './dumped-fabric.ts';
import type { FabricOptions, UsedAssumption } from './fabric-options.ts';
import { FabricProblems } from './fabric-problem.ts';
import { HostIndex } from './host-index.ts';
import { type HostPlan, hostPlan, overlaps } from './host-plan.ts';
import { type BarKnowledge, type PlannedBar, plannedBars, targetBar } from './planned-bar.ts';
import {
  type PlannedFunction,
  type PlanningGround,
  plannedFunction,
  usesEgressControl,
} from './planned-function.ts';

/** Everything that is needed to build. */
interface FabricPlan {
  readonly index: HostIndex;
  readonly chosen: ChosenFunctions;
  readonly hosts: readonly HostPlan[];
  readonly functions: ReadonlyMap<DumpedFunction, PlannedFunction>;
  readonly bars: ReadonlyMap<DumpedFunction, readonly PlannedBar[]>;
  readonly bar: number | null;
  readonly used: UsedAssumption[];
}

/**
 * Builds the fabric of `dump`, or says what is in the way: then memory is as it was.
 * @public
 */
export function fabricOfDump(dump: MachineDump, options: FabricOptions): FabricOutcome {
  const problems = new FabricProblems();
  const plan = planned(dump, options, problems);
  if (!problems.none) return { ok: false, missing: problems.missing, obstacles: problems.obstacles };
  return { ok: true, value: built(options, plan) };
}

function planned(dump: MachineDump, options: FabricOptions, problems: FabricProblems): FabricPlan {
  const used: UsedAssumption[] = [];
  const index = new HostIndex(dump);
  const chosen = chooseFunctions(dump, options, index, problems);
  const hosts = hostPlans(dump, index, options, chosen, problems, used);
  const offsets = new Map(hosts.map(({ host, offset }) => [host, offset]));
  const offsetOf = (fn: DumpedFunction): number => {
    const host = index.hostOf(fn);
    return host === undefined ? 0 : (offsets.get(host) ?? 0);
  };
  const parents = new Set<unknown>([...chosen.roles.keys()].map(({ upstream }) => upstream));
  const usesEgress = usesEgressControl(chosen.roles.keys(), options);
  const ground: PlanningGround = {
    usesEgress,
    options,
    problems,
    used,
    offsetOf,
    parents,
    enabled: enabledBy(options),
  };
  const functions = new Map<DumpedFunction, PlannedFunction>();
  for (const [fn, role] of chosen.roles) functions.set(fn, plannedFunction(fn, role, ground));
  const bars = new Map<DumpedFunction, readonly PlannedBar[]>();
  let bar: number | null = null;
  for (const [fn, role] of chosen.roles) {
    const found = barsFor(dump, fn, role, ground);
    bars.set(fn, found);
    const isAsked = role !== 'initiator' || options.part?.initiatorAnswers === true;
    if (isAsked) checkReach(fn, role === 'target' ? found.slice(0, 1) : found, functions, problems);
    if (role === 'target') bar = found[0]?.resource.index ?? null;
  }
  return { index, chosen, hosts, functions, bars, bar, used };
}

function hostPlans(
  dump: MachineDump,
  index: HostIndex,
  options: FabricOptions,
  { roles }: ChosenFunctions,
  problems: FabricProblems,
  used: UsedAssumption[],
): HostPlan[] {
  const users = usersOf(roles.keys(), index);
  const plans = [...users].map(([host, user]) => hostPlan(dump, index, host, user, options, problems, used));
  const taken = [...options.memory.ramRanges];
  for (const { host, ranges } of plans) {
    const user = users.get(host) as DumpedFunction;
    if (ranges.some((range) => taken.some((other) => overlaps(range, other))))
      problems.block('ranges-overlap', user);
    taken.push(...ranges);
  }
  return plans;
}

/** The functions that drivers enable, and the bridges above them. */
function enabledBy({ enabled = [] }: FabricOptions): Set<DumpedFunction> {
  const found = new Set<DumpedFunction>();
  for (const fn of enabled) {
    let at: DumpedFunction | 'root' | 'unknown' = fn;
    while (typeof at !== 'string' && !found.has(at)) {
      found.add(at);
      at = at.upstream;
    }
  }
  return found;
}

/** A BAR that stands outside the windows above it: then a window was not printed, unless registers show that it is closed. */
function checkReach(
  fn: DumpedFunction,
  bars: readonly PlannedBar[],
  functions: ReadonlyMap<DumpedFunction, PlannedFunction>,
  problems: FabricProblems,
): void {
  for (let at = fn.upstream; typeof at !== 'string'; at = at.upstream) {
    const windows = functions.get(at)?.windows ?? null;
    if (windows === null || windows.certain) continue;
    const isOutside = bars.some(({ address, bytes }) => !windowsHold(windows, address, bytes));
    if (isOutside) problems.miss('bridge-windows', at);
  }
}

/** The target's wanted BAR first; of other functions in a part, those that are known. */
function barsFor(
  dump: MachineDump,
  fn: DumpedFunction,
  role: FunctionRole,
  { options, problems, used, offsetOf }: PlanningGround,
): readonly PlannedBar[] {
  if (role !== 'whole' && role !== 'target' && role !== 'initiator') return [];
  if (fn.headerType === 1) {
    if (role === 'target') problems.block('no-memory-bar', fn, options.part?.bar ?? null);
    return [];
  }
  const bytesOf = (of: DumpedFunction, bar: DumpedResource): Knowledge<number> => {
    if (bar.bytes !== 'unknown') return bar.bytes;
    const assumed = options.assume?.barBytes?.(of, bar);
    if (assumed !== undefined) used.push({ assumption: 'barBytes', fn: of });
    return assumed ?? 'unknown';
  };
  const knowledge: BarKnowledge = { offset: offsetOf(fn), bytesOf };
  const all = plannedBars(fn, knowledge, role === 'whole' ? problems : null);
  if (role !== 'target') return all;
  const wanted = targetBar(dump, fn, options.part?.bar, knowledge, problems);
  return wanted === undefined ? all : [wanted, ...all.filter(({ resource }) => resource !== wanted.resource)];
}

function built(options: FabricOptions, plan: FabricPlan): DumpedFabric {
  const { memory, clock, log } = options;
  const fabric = new PciFabric(log === undefined ? { memory, clock } : { memory, clock, log });
  const hosts = new Map(plan.hosts.map((one) => [one.host, addHost(fabric, one, options)]));
  const functions = new Map<DumpedFunction, PciFunction>();
  const places = new Map<DumpedFunction, PlugPoint>();
  const vacant = new Set(options.vacant);
  const plug = (fn: DumpedFunction): PciFunction => {
    const known = functions.get(fn);
    if (known !== undefined) return known;
    const under = placeFor(fn);
    const added = plugIn(fabric, under, plan, fn, options);
    functions.set(fn, added);
    return added;
  };
  const placeFor = (fn: DumpedFunction): PlugPoint => {
    const host = hosts.get(plan.index.hostOf(fn) as DumpedHostBridge) as HostBridge;
    const under = typeof fn.upstream === 'string' ? host : (plug(fn.upstream) as unknown as PlugPoint);
    places.set(fn, under);
    return under;
  };
  for (const fn of plan.chosen.roles.keys()) {
    if (vacant.has(fn)) placeFor(fn);
    else plug(fn);
  }
  const { leftOut } = plan.chosen;
  return new DumpedFabric({ fabric, leftOut, assumed: unique(plan.used), bar: plan.bar, functions, places });
}

function addHost(
  fabric: PciFabric,
  { host, offset, ranges }: HostPlan,
  { peerToPeer }: FabricOptions,
): HostBridge {
  const [first, ...more] = ranges;
  const added = fabric.addHostBridge({
    name: host.name,
    segment: host.place.domain,
    memoryAperture: first ?? { base: physAddr(0), bytes: 0 },
    moreApertures: more,
    busOffset: offset,
    identity: null,
    ...(peerToPeer === undefined ? {} : { peerToPeer }),
  });
  added.childBus.number = host.place.bus;
  return added;
}

function plugIn(
  fabric: PciFabric,
  under: PlugPoint,
  { functions, bars }: FabricPlan,
  fn: DumpedFunction,
  options: FabricOptions,
): PciFunction {
  const { bytes, kind, windows } = functions.get(fn) as PlannedFunction;
  const { device, fn: functionNumber } = fn.address;
  const spec = { name: fn.name, device, functionNumber, bytes };
  if (kind === null) {
    const placed = (bars.get(fn) ?? []).map((bar) => configuredBar(fn, bar, options));
    return fabric.addConfigured(under, { ...spec, bars: placed });
  }
  const bridge = fabric.addConfiguredBridge(under, { ...spec, kind });
  // Registers of a window that does not exist read as zero, which would be an open one.
  bridge.openMemoryWindow(windows?.memory.base ?? 0, windows?.memory.end ?? 0);
  bridge.openPrefetchWindow(windows?.prefetch.base ?? 0, windows?.prefetch.end ?? 0);
  return bridge;
}

function configuredBar(fn: DumpedFunction, bar: PlannedBar, { barTarget }: FabricOptions): ConfiguredBar {
  const { resource, bytes, address } = bar;
  const { index, width, prefetchable } = resource;
  const target = barTarget?.(fn, resource, bytes) ?? new BarMemory(bytes);
  return { index, width, prefetchable, bytes, target, address: pciBusAddr(address) };
}

function unique(used: readonly UsedAssumption[]): UsedAssumption[] {
  const seen = new Set<string>();
  return used.filter(({ assumption, fn }) => {
    const key = `${assumption} ${fn.name}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
