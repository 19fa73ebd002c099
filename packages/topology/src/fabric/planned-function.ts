// PlannedFunction: one dumped function, bridge or device, with every register that the fabric needs.
// Source followed: PCI Express Base Specification 6.0, sections 7.5.1 and 7.5.3.1 (which kind of port a bridge is).
// What a role does not need may stay unknown: windows of bridges that requests only go up through, BARs of the sender.
// Simplified: a bridge outside PCI Express is a bridge to a conventional bus.

import { ACS, type PortKind } from '@sgfree/hw-model';
import type { DumpedFunction, Knowledge, RegisterFact } from '../model/dumped-function.ts';
import { type BridgeWindows, bridgeWindows } from './bridge-windows.ts';
import type { FunctionRole } from './chosen-functions.ts';
import { configLayout, hasDumpedExtended, hasDumpedHeader } from './config-layout.ts';
import type { FabricOptions, UsedAssumption } from './fabric-options.ts';
import type { FabricProblems } from './fabric-problem.ts';

/** What is needed to plug a function in. */
export interface PlannedFunction {
  readonly fn: DumpedFunction;
  readonly bytes: Uint8Array;
  /** Null for anything that is no bridge here. */
  readonly kind: PortKind | null;
  /** Null: left closed. */
  readonly windows: BridgeWindows | null;
}

/** What plans of all functions share. */
export interface PlanningGround {
  readonly options: FabricOptions;
  readonly problems: FabricProblems;
  readonly used: UsedAssumption[];
  /** Functions whose command register is set by drivers. */
  readonly enabled: ReadonlySet<DumpedFunction>;
  /** Functions that others hang below. */
  readonly parents: ReadonlySet<unknown>;
  /** A port decides by a vector of port numbers, so all of them must be known. */
  readonly usesEgress: boolean;
  /** Bus address minus CPU address. */
  readonly offsetOf: (fn: DumpedFunction) => number;
}

const DOWNSTREAM = 6;
const KINDS: ReadonlyMap<number | 'absent', PortKind> = new Map<number | 'absent', PortKind>([
  [4, 'root-port'],
  [5, 'upstream'],
  [DOWNSTREAM, 'downstream'],
  [7, 'to-pci'],
  [8, 'to-express'],
  ['absent', 'to-pci'],
]);

/** Plans one function; what is unknown becomes a problem. */
export function plannedFunction(
  fn: DumpedFunction,
  role: FunctionRole,
  ground: PlanningGround,
): PlannedFunction {
  if (role === 'identity') return identityOnly(fn, ground);
  const isBridge = ground.parents.has(fn) || fn.headerType === 1;
  if (isBridge && fn.headerType === 0) ground.problems.block('bridge-type', fn);
  // Whatever it is, nothing of the dump lies below it: only of the two ends it matters what they are.
  const isEnd = role === 'initiator' || role === 'target';
  if (!isBridge && isEnd && fn.headerType === 'unknown') ground.problems.miss('header-type', fn);
  const acsControl = settledAcs(fn, ground);
  const isReached = (role !== 'initiator' && role !== 'above-initiator') || answers(ground);
  const memory = settledCommand(fn, fn.memoryEnabled, isReached, ground);
  const busMaster = settledCommand(fn, fn.busMaster, role !== 'target' && role !== 'above-target', ground);
  const kind = isBridge ? settledKind(fn, ground) : null;
  const windows = isBridge ? settledWindows(fn, role, ground) : null;
  checkBus(fn, ground);
  return { fn, kind, windows, bytes: configLayout(fn, { isBridge, acsControl, memory, busMaster }) };
}

/** A function that is looked at for its ids and port type, and takes part in nothing. */
function identityOnly(fn: DumpedFunction, { problems }: PlanningGround): PlannedFunction {
  if (fn.vendorId === 'unknown' || fn.deviceId === 'unknown') problems.miss('root-device', fn);
  const isBridge = fn.headerType === 1;
  const bytes = configLayout(fn, { isBridge, acsControl: 'absent', memory: false, busMaster: false });
  return { fn, bytes, kind: null, windows: null };
}

const answers = ({ options }: PlanningGround): boolean => options.part?.initiatorAnswers === true;

function settledAcs(
  fn: DumpedFunction,
  { options, problems, used, usesEgress }: PlanningGround,
): number | 'absent' {
  const control = controlOf(fn, options);
  if (control !== 'unknown') {
    if (usesEgress) checkPortNumbers(fn, control, problems);
    return control;
  }
  const assumed = options.assume?.acsControl;
  if (assumed === undefined) problems.miss('acs-control', fn);
  else used.push({ assumption: 'acsControl', fn });
  return assumed ?? 'absent';
}

/** Which ports are blocked, by number: the vector and the numbers stand in bytes only. */
function checkPortNumbers(fn: DumpedFunction, control: number | 'absent', problems: FabricProblems): void {
  if (fn.portType !== DOWNSTREAM) return;
  const isShown = blocksPorts(control) ? hasDumpedExtended(fn) : hasDumpedHeader(fn);
  if (!isShown) problems.miss('egress-vector', fn);
}

/** The register as given, else as dumped. */
const controlOf = (fn: DumpedFunction, { acs }: FabricOptions): RegisterFact =>
  acs?.get(fn) ?? fn.acs.control;

const blocksPorts = (control: RegisterFact): boolean =>
  typeof control === 'number' && (control & ACS.egressControl) !== 0;

/** True when a port decides by a vector of port numbers. */
export const usesEgressControl = (functions: Iterable<DumpedFunction>, options: FabricOptions): boolean =>
  [...functions].some((fn) => fn.portType === DOWNSTREAM && blocksPorts(controlOf(fn, options)));

function settledCommand(
  fn: DumpedFunction,
  dumped: Knowledge<boolean>,
  isNeeded: boolean,
  { options, problems, used, enabled }: PlanningGround,
): boolean {
  if (enabled.has(fn)) return true;
  if (dumped !== 'unknown') return dumped;
  if (options.assume?.commandOn === true) {
    used.push({ assumption: 'commandOn', fn });
    return true;
  }
  if (isNeeded) problems.miss('command', fn);
  return false;
}

function settledKind(fn: DumpedFunction, { problems }: PlanningGround): PortKind {
  const kind = fn.portType === 'unknown' ? undefined : KINDS.get(fn.portType);
  if (fn.portType === 'unknown') problems.miss('port-type', fn);
  else if (kind === undefined) problems.block('bridge-type', fn);
  if (typeof fn.buses === 'string') problems.miss('bus-numbers', fn);
  return kind ?? 'to-pci';
}

function settledWindows(
  fn: DumpedFunction,
  role: FunctionRole,
  ground: PlanningGround,
): BridgeWindows | null {
  const found = bridgeWindows(fn, ground.offsetOf(fn));
  if (typeof found !== 'string') return found;
  if (found === 'malformed') ground.problems.block('window-malformed', fn);
  else if (role !== 'above-initiator' || answers(ground)) ground.problems.miss('bridge-windows', fn);
  return null;
}

function checkBus(fn: DumpedFunction, { problems }: PlanningGround): void {
  const { upstream, address } = fn;
  if (typeof upstream === 'string' || typeof upstream.buses === 'string') return;
  if (upstream.buses.secondary !== address.bus) problems.block('bus-contradiction', fn);
}
