// ChosenFunctions: which functions of a dump stand in the fabric, and what each is needed for.
// Source followed: PCI Express Base Specification 6.0, section 1.3: a request passes the bridges above both its ends.
// Simplified: virtual functions are left out, and so is everything behind a CardBus bridge.

import type { DumpedFunction } from '../model/dumped-function.ts';
import type { DumpedHostBridge, MachineDump } from '../model/machine-dump.ts';
import type { FabricOptions, FabricPart } from './fabric-options.ts';
import type { FabricObstacleCode, FabricProblems } from './fabric-problem.ts';
import type { HostIndex } from './host-index.ts';

/**
 * What a function is there for. `whole`: everything of it. `above-target`: requests come down through it.
 * `above-initiator`: requests go up through it. `target`, `initiator`: the ends. `identity`: to be looked at only.
 */
export type FunctionRole = 'whole' | 'target' | 'above-target' | 'initiator' | 'above-initiator' | 'identity';

/**
 * A function that is not in the fabric, and why.
 * @public
 */
export interface LeftOutFunction {
  readonly fn: DumpedFunction;
  readonly code: FabricObstacleCode;
}

/** The functions of a fabric by role. */
export interface ChosenFunctions {
  readonly roles: ReadonlyMap<DumpedFunction, FunctionRole>;
  readonly leftOut: readonly LeftOutFunction[];
}

/** Chooses; whoever has no known way to a root bus is a problem. */
export function chooseFunctions(
  dump: MachineDump,
  { part, assume }: FabricOptions,
  index: HostIndex,
  problems: FabricProblems,
): ChosenFunctions {
  const chosen = part === undefined ? wholeMachine(dump, problems) : chains(dump, part, problems);
  const roles = new Map(chosen.roles);
  for (const [host, user] of usersOf(roles.keys(), index)) {
    const [first] = host.functions;
    if (first === undefined) continue;
    const isFirst = first.address.device === 0 && first.address.fn === 0;
    if (!isFirst && assume?.rootDeviceAsShown !== true) problems.miss('root-device', user);
    if (!roles.has(first)) roles.set(first, 'identity');
  }
  return { roles, leftOut: chosen.leftOut };
}

/** The host bridges above some functions, each with the first function below it. */
export function usersOf(
  functions: Iterable<DumpedFunction>,
  index: HostIndex,
): Map<DumpedHostBridge, DumpedFunction> {
  const users = new Map<DumpedHostBridge, DumpedFunction>();
  for (const fn of functions) {
    const host = index.hostOf(fn);
    if (host !== undefined && !users.has(host)) users.set(host, fn);
  }
  return users;
}

function wholeMachine(dump: MachineDump, problems: FabricProblems): ChosenFunctions {
  const roles = new Map<DumpedFunction, FunctionRole>();
  const leftOut: LeftOutFunction[] = [];
  for (const fn of dump.functions) {
    const code = obstacleOf(fn);
    if (code === undefined) {
      roles.set(fn, 'whole');
      chainOf(dump, fn, problems);
    } else leftOut.push({ fn, code });
  }
  return { roles, leftOut };
}

function chains(dump: MachineDump, part: FabricPart, problems: FabricProblems): ChosenFunctions {
  const roles = new Map<DumpedFunction, FunctionRole>();
  for (const end of ['initiator', 'target'] as const) {
    const code = obstacleOf(part[end]);
    if (code !== undefined) problems.block(code, part[end]);
    const [fn, ...above] = chainOf(dump, part[end], problems);
    if (fn !== undefined) roles.set(fn, end);
    for (const bridge of above) roles.set(bridge, `above-${end}`);
  }
  return { roles, leftOut: [] };
}

/** The function and the bridges above it, up to a root bus or to where nothing is known. */
function chainOf(dump: MachineDump, fn: DumpedFunction, problems: FabricProblems): DumpedFunction[] {
  const chain: DumpedFunction[] = [];
  let at: DumpedFunction | 'root' | 'unknown' = fn;
  while (typeof at !== 'string') {
    chain.push(at);
    // A source that leaves bridges out shows nobody's upstream bridge for certain.
    const above: DumpedFunction | 'root' | 'unknown' = at.upstream;
    const hidden: boolean = above === 'unknown' || (dump.partial && above !== 'root');
    if (hidden) problems.miss('upstream', at);
    at = hidden ? 'unknown' : above;
  }
  return chain;
}

function obstacleOf(fn: DumpedFunction): FabricObstacleCode | undefined {
  if (fn.virtualFunction === true) return 'virtual-function';
  if (fn.headerType === 2) return 'cardbus-bridge';
  let at = fn.upstream;
  while (typeof at !== 'string') {
    if (at.headerType === 2) return 'behind-cardbus-bridge';
    at = at.upstream;
  }
  return undefined;
}
