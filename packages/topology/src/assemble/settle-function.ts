// From everything said about one function to what is known about it: bytes before words, words before nothing.
// Source followed: the rule that hex is preferred where both are there, and that what nobody shows is unknown.
// A listing that shows capabilities and not ACS shows that there is none; but only if it was not cut off, and only if
// somewhere in it a capability of the extended space is listed, since otherwise that space may not have been readable.
// Simplified: words and bytes that disagree are settled in favour of the bytes, with a remark.

import { acsFacts, type HeaderFacts, headerFacts, portTypeFact } from '../model/config-facts.ts';
import type {
  BridgeBuses,
  DumpedAcs,
  DumpedFunction,
  Knowledge,
  RegisterFact,
} from '../model/dumped-function.ts';
import { classNameOf } from '../names/class-names.ts';
import type { FunctionDraft, StatedFacts } from '../readers/function-draft.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import { noteContradiction } from './mixed-block.ts';
import { settledResources } from './settle-resources.ts';

/** A function whose place in the tree is still open. */
export type SettledFunction = { -readonly [K in keyof DumpedFunction]: DumpedFunction[K] };

/** Settles one function. `extendedShown`: the text lists a capability of the extended space somewhere. */
export function settleFunction(
  machine: MachineDraft,
  draft: FunctionDraft,
  extendedShown: boolean,
): SettledFunction {
  const { stated } = draft;
  forgetDeadBytes(machine, draft);
  noteContradiction(machine, draft);
  const header = headerFacts(draft.config);
  const said = <K extends keyof StatedFacts>(key: K): Knowledge<StatedFacts[K]> => stated[key] ?? 'unknown';
  const first = <T>(bytes: Knowledge<T>, words: Knowledge<T>): Knowledge<T> =>
    bytes === 'unknown' ? words : bytes;
  const classId = first(header.classId, said('classId'));
  const headerType = first(header.headerType, settledHeaderType(draft, classId));
  const portType = settledPortType(machine, draft);
  return {
    address: draft.address,
    name: draft.name,
    line: draft.line,
    config: draft.config.bytes,
    known: draft.config.known,
    vendorId: first(header.vendorId, said('vendorId')),
    deviceId: first(header.deviceId, said('deviceId')),
    subsystemVendorId: first(header.subsystemVendorId, said('subsystemVendorId')),
    subsystemId: first(header.subsystemId, said('subsystemId')),
    classId,
    progIf: first(header.progIf, said('progIf')),
    className: stated.className ?? (classId === 'unknown' ? '' : (classNameOf(classId) ?? '')),
    title: stated.title ?? '',
    headerType,
    multifunction: header.multifunctionBit,
    virtualFunction: stated.virtualFunction ?? (isVirtual(draft) || 'unknown'),
    buses: settledBuses(machine, draft, header, headerType),
    portType,
    acs: settledAcs(machine, draft, portType, extendedShown),
    resources: settledResources(draft, headerType, header.memoryEnabled),
    memoryEnabled: first(header.memoryEnabled, said('memoryEnabled')),
    busMaster: first(header.busMaster, said('busMaster')),
    driver: stated.driver,
    numaNode: stated.numaNode,
    iommuGroup: stated.iommuGroup,
    slot: stated.slot,
    upstream: 'unknown',
    rootBus: 'unknown',
  };
}

// A device that does not answer reads as ones, class and header type too: its bytes tell nothing.
function forgetDeadBytes(machine: MachineDraft, draft: FunctionDraft): void {
  const { config } = draft;
  if (config.read(0x00, 4) !== 0xffffffff || config.read(0x08, 4) !== 0xffffffff) return;
  for (let at = 0; at < config.known.length; at += 1) config.forget(at);
  if (draft.gone) return;
  draft.gone = true;
  machine.remark(
    'function-gone',
    draft.name,
    'its configuration space reads as ones only',
    'everything about it that only registers tell is unknown',
    draft.line,
  );
}

// Bytes 0 to 3 of a virtual function read as ones, and its header type byte as zero.
function isVirtual(draft: FunctionDraft): boolean {
  const { config } = draft;
  return (
    config.read(0, 4) === 0xffffffff && config.read(0x0e, 1) === 0 && config.read(0x08, 4) !== 0xffffffff
  );
}

function settledHeaderType(draft: FunctionDraft, classId: Knowledge<number>): Knowledge<number> {
  if (draft.stated.headerType !== undefined) return draft.stated.headerType;
  // A PCI-to-PCI bridge has a type 1 header by definition; an endpoint of another class may still be a bridge.
  if (classId === 0x0604) return 1;
  if (classId === 0x0607) return 2;
  if (classId === 'unknown' || (classId >= 0x0600 && classId < 0x0700)) return 'unknown';
  return 0;
}

function settledBuses(
  machine: MachineDraft,
  draft: FunctionDraft,
  header: HeaderFacts,
  headerType: Knowledge<number>,
): BridgeBuses | 'absent' | 'unknown' {
  const { primary = 'unknown', secondary, subordinate } = draft.stated;
  if (header.buses !== 'unknown') {
    if (typeof header.buses === 'string' || [undefined, header.buses.secondary].includes(secondary))
      return header.buses;
    remarkOtherBuses(machine, draft);
    return 'unknown';
  }
  if (draft.mixed) return 'unknown';
  if (secondary !== undefined && subordinate !== undefined) return { primary, secondary, subordinate };
  return headerType === 0 ? 'absent' : 'unknown';
}

function remarkOtherBuses(machine: MachineDraft, draft: FunctionDraft): void {
  machine.remark(
    'bytes-and-text-differ',
    draft.name,
    'its bus numbers are others in the bytes than in the text',
    'what hangs below it is unknown',
    draft.line,
  );
}

function settledPortType(machine: MachineDraft, draft: FunctionDraft): RegisterFact {
  if (draft.gone) return 'unknown';
  const { type, loop } = portTypeFact(draft.config);
  if (loop) remarkLoop(machine, draft);
  if (type !== 'unknown') return type;
  if (draft.mixed) return 'unknown';
  if (draft.stated.portType !== undefined) return draft.stated.portType;
  if (draft.conflicts.has('portType')) return 'unknown';
  if (draft.expressNamed || draft.extendedListed || draft.acsNamed) return 'unknown';
  if (draft.stated.capabilityList === false) return withoutList(draft);
  if (hasLostBytes(draft)) return 'unknown';
  return draft.capabilities === 'listed' && !draft.open ? 'absent' : 'unknown';
}

/** The dump of bytes has a hole, or ends inside a line: lines were lost, of the text too perhaps. */
const hasLostBytes = ({ config, changedBytes }: FunctionDraft): boolean =>
  changedBytes === 0 && config.knownPrefix < config.known.length;

/** The status register says that there is no capability list; lines that list some contradict it. */
const withoutList = ({ capabilities }: FunctionDraft): 'absent' | 'unknown' =>
  capabilities === 'none' ? 'absent' : 'unknown';

function remarkLoop(machine: MachineDraft, draft: FunctionDraft): void {
  machine.remark(
    'capability-loop',
    draft.name,
    'its capability list leads back to itself',
    'what was not met by then is taken as absent, as the kernel does',
    draft.line,
  );
}

function settledAcs(
  machine: MachineDraft,
  draft: FunctionDraft,
  portType: RegisterFact,
  extendedShown: boolean,
): DumpedAcs {
  if (draft.gone) return { offset: 'unknown', capability: 'unknown', control: 'unknown' };
  const { loop, ...bytes } = acsFacts(draft.config, portType);
  if (loop) remarkLoop(machine, draft);
  const rest = wordsForAcs(draft, portType, extendedShown);
  const { acsOffset, acsCapability, acsControl } = draft.mixed ? {} : draft.stated;
  const words: DumpedAcs = {
    offset: acsOffset ?? rest,
    capability: acsCapability ?? rest,
    control: acsControl ?? rest,
  };
  remarkDisagreement(machine, draft, bytes.control, words.control);
  const first = (a: RegisterFact, b: RegisterFact): RegisterFact => (a === 'unknown' ? b : a);
  return {
    offset: first(bytes.offset, words.offset),
    capability: first(bytes.capability, words.capability),
    control: first(bytes.control, words.control),
  };
}

/** What a register is that the text does not print. */
function wordsForAcs(
  draft: FunctionDraft,
  portType: RegisterFact,
  extendedShown: boolean,
): 'absent' | 'unknown' {
  if (draft.acsNamed || draft.mixed) return 'unknown';
  if (hasLostBytes(draft)) return 'unknown';
  if (draft.stated.capabilityList === false) return withoutList(draft);
  if (draft.capabilities !== 'listed' || draft.open || portType === 'unknown') return 'unknown';
  return portType === 'absent' || extendedShown ? 'absent' : 'unknown';
}

function remarkDisagreement(
  machine: MachineDraft,
  draft: FunctionDraft,
  bytes: RegisterFact,
  words: RegisterFact,
): void {
  if (bytes === words || bytes === 'unknown' || words === 'unknown') return;
  // Words can only leave a capability out; they cannot show one that the bytes do not have.
  if (words === 'absent' && draft.capabilities !== 'listed') return;
  machine.remark(
    'bytes-and-text-differ',
    draft.name,
    `ACS control is ${bytes} in the bytes and ${words} in the text`,
    'the bytes are taken',
    draft.line,
  );
}
