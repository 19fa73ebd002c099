// Indented lines of a listing: everything below the first line of a function.
// Source followed: the output of lspci -v, -vv, -vvv and -k, of versions 3.2 to 3.13.
// A line that says nothing about topology is passed over: capabilities have hundreds of them.
// Simplified: of the registers shown in words only command, capability bit, bus numbers and ACS are taken.

import type { FunctionDraft } from './function-draft.ts';
import { readCapabilityLine } from './lspci-capability-line.ts';
import { readResourceLine } from './lspci-resource-line.ts';
import type { MachineDraft } from './machine-draft.ts';
import { noteRepeated } from './repeated-part.ts';

const busesForm = /^Bus: primary=([0-9a-f]{2}), secondary=([0-9a-f]{2}), subordinate=([0-9a-f]{2})/;
const CARDBUS_BRIDGE = 0x0607;
const idsForm = /\[([0-9a-f]{4}):([0-9a-f]{4})\]\s*$/i;

type LineReader = (machine: MachineDraft, draft: FunctionDraft, text: string) => void;

const flag = (text: string, name: string): boolean | undefined =>
  text.includes(`${name}+`) ? true : text.includes(`${name}-`) ? false : undefined;

function readControl(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  // `Control:` also begins lines inside capabilities; only the command register has these flags.
  if (!text.includes('BusMaster')) return;
  noteRepeated(machine, draft, 'Control');
  draft.open = true;
  const memoryEnabled = flag(text, ' Mem');
  const busMaster = flag(text, 'BusMaster');
  machine.stateAll(draft, {
    ...(memoryEnabled !== undefined && { memoryEnabled }),
    ...(busMaster !== undefined && { busMaster }),
  });
}

function readStatus(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  const capabilityList = /^Status: Cap([+-])/.exec(text)?.[1];
  if (capabilityList !== undefined) machine.state(draft, 'capabilityList', capabilityList === '+');
}

/** `Flags: bus master, fast devsel, latency 0, IRQ 16, NUMA node 0, IOMMU group 1`, of lspci -v. */
function readFlags(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  // Lines of capabilities begin with the same word; only this one tells how the device is selected.
  if (!text.includes('devsel')) return;
  noteRepeated(machine, draft, 'Flags');
  draft.open = true;
  machine.state(draft, 'busMaster', text.includes('bus master'));
  const numaNode = /NUMA node ([0-9]+)/.exec(text)?.[1];
  const iommuGroup = /IOMMU group ([0-9]+)/.exec(text)?.[1];
  if (numaNode !== undefined) machine.state(draft, 'numaNode', Number(numaNode));
  if (iommuGroup !== undefined) machine.state(draft, 'iommuGroup', Number(iommuGroup));
}

function readBuses(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  const match = busesForm.exec(text);
  if (match === null) return;
  noteRepeated(machine, draft, 'Bus');
  const number = (at: number): number => Number.parseInt(match[at] ?? '', 16);
  machine.stateAll(draft, {
    headerType: draft.stated.classId === CARDBUS_BRIDGE ? 2 : 1,
    primary: number(1),
    secondary: number(2),
    subordinate: number(3),
  });
}

function readSubsystem(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  const ids = idsForm.exec(text);
  if (ids === null) return;
  const subsystemVendorId = Number.parseInt(ids[1] ?? '', 16);
  machine.stateAll(draft, { subsystemVendorId, subsystemId: Number.parseInt(ids[2] ?? '', 16) });
}

function readNumber(key: 'numaNode' | 'iommuGroup'): LineReader {
  return (machine, draft, text) => {
    const value = Number.parseInt(text.slice(text.indexOf(':') + 1), 10);
    if (value >= 0) machine.state(draft, key, value);
  };
}

const afterColon = (text: string): string => text.slice(text.indexOf(':') + 1).trim();

/** Lines of the SR-IOV capability: whether virtual functions are on, how many, and where. */
const readSriov: LineReader = (machine, draft, text) => {
  const vfEnabled = /^IOVCtl:\s*Enable([+-])/.exec(text)?.[1];
  if (vfEnabled !== undefined) machine.state(draft, 'vfEnabled', vfEnabled === '+');
  const vfCount = /Number of VFs: ([0-9]+),/.exec(text)?.[1];
  if (vfCount !== undefined) machine.state(draft, 'vfCount', Number(vfCount));
  const place = /^VF offset: ([0-9]+), stride: ([0-9]+),/.exec(text);
  if (place !== null) machine.stateAll(draft, { vfOffset: Number(place[1]), vfStride: Number(place[2]) });
};

const express: LineReader = (_machine, draft) => {
  draft.expressNamed = true;
};

const readers: ReadonlyMap<string, LineReader> = new Map<string, LineReader>([
  ['Control', readControl],
  ['Status', readStatus],
  ['Flags', readFlags],
  ['Bus', readBuses],
  ['Subsystem', readSubsystem],
  ['NUMA node', readNumber('numaNode')],
  ['IOMMU group', readNumber('iommuGroup')],
  ['Physical Slot', (machine, draft, text) => machine.state(draft, 'slot', afterColon(text))],
  [
    'Kernel driver in use',
    (machine, draft, text) => {
      draft.open = false;
      machine.state(draft, 'driver', afterColon(text));
    },
  ],
  [
    'Kernel modules',
    (_machine, draft) => {
      draft.open = false;
    },
  ],
  ['Capabilities', readCapabilityLine],
  ['ACSCap', readCapabilityLine],
  ['ACSCtl', readCapabilityLine],
  ['Initial VFs', readSriov],
  ['IOVCtl', readSriov],
  ['VF offset', readSriov],
  ['DevCap', express],
  ['DevCtl', express],
  ['LnkCap', express],
]);

/** Reads one line below a function's first line, without its indentation. */
export function readIndented(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  // Anywhere in it: two lines may have become one on the way.
  if (text.includes('ACSC') || text.includes('] Access Control Services')) draft.acsNamed = true;
  const colon = text.indexOf(':');
  const reader = colon < 0 ? undefined : readers.get(text.slice(0, colon));
  if (reader !== undefined) {
    reader(machine, draft, text);
    return;
  }
  if (isAboutRange(text)) readResourceLine(machine, draft, text);
  else if (text.startsWith('!!!')) readAlarm(machine, draft, text);
}

const isAboutRange = (text: string): boolean =>
  text.startsWith('Region ') ||
  text.startsWith('Memory ') ||
  text.startsWith('Prefetchable memory ') ||
  text.startsWith('I/O ') ||
  text.startsWith('Expansion ROM') ||
  /^\[[a-z]+\] (?:Memory|I\/O|Expansion)/.test(text);

/** `!!! Unknown header type 7f`: the device answers ones only. */
function readAlarm(machine: MachineDraft, draft: FunctionDraft, text: string): void {
  if (!/header type 7f/.test(text)) return;
  draft.gone = true;
  machine.remark(
    'function-gone',
    draft.name,
    text,
    'its configuration space could not be read: everything about it is unknown',
  );
}
