// The step from drafts to a machine: every function settled, hung into its tree, and what is missing noted.
// Source followed: none of hardware; the order matters: facts first, then doubts among equals, then parents.
// Simplified: remarks about hidden capabilities are given once for all functions, with their number.

import type { DumpedHostBridge, MachineDump } from '../model/machine-dump.ts';
import { busKey } from '../model/pci-address.ts';
import type { TitleLookup } from '../names/vendor-names.ts';
import type { FunctionDraft } from '../readers/function-draft.ts';
import type { MachineDraft } from '../readers/machine-draft.ts';
import { hangTree } from './hang-tree.ts';
import { inferMultifunction } from './infer-multifunction.ts';
import { doubtMissingAmongEquals } from './missing-among-equals.ts';
import { remarkOverlappingWindows } from './overlapping-windows.ts';
import { type SettledFunction, settleFunction } from './settle-function.ts';
import { findVirtualFunctions } from './virtual-functions.ts';

/** Makes a machine of everything that was read. */
export function assembleMachine(machine: MachineDraft, titleOf?: TitleLookup): MachineDump {
  machine.line = 0;
  machine.file = '';
  const drafts = [...machine.functions.entries()].sort(([a], [b]) => a - b).map(([, draft]) => draft);
  const extendedShown = drafts.some(({ extendedListed }) => extendedListed);
  const functions = drafts.map((draft) => settleFunction(machine, draft, extendedShown));
  doubtMissingAmongEquals(machine, functions);
  hangTree(machine, functions, findVirtualFunctions(machine, functions, extendedShown));
  inferMultifunction(functions);
  remarkOverlappingWindows(machine, functions);
  remarkHidden(machine, drafts, functions);
  if (titleOf !== undefined) giveTitles(functions, titleOf);
  return {
    formats: [...machine.formats],
    functions,
    hostBridges: hostBridges(functions),
    iomem: machine.iomem,
    cpu: machine.cpu,
    partial: machine.partial,
    remarks: machine.remarks,
  };
}

/** Names what the dump has numbers for only. */
function giveTitles(functions: readonly SettledFunction[], titleOf: TitleLookup): void {
  for (const fn of functions) {
    if (fn.title !== '' || fn.vendorId === 'unknown' || fn.deviceId === 'unknown') continue;
    fn.title = titleOf(fn.vendorId, fn.deviceId) ?? '';
  }
}

function hostBridges(functions: readonly SettledFunction[]): DumpedHostBridge[] {
  const found = new Map<number, { place: DumpedHostBridge['place']; functions: SettledFunction[] }>();
  for (const fn of functions) {
    if (fn.rootBus === 'unknown') continue;
    const { domain, bus } = fn.rootBus;
    const key = busKey(domain, bus);
    const known = found.get(key) ?? { place: { domain, bus }, functions: [] };
    if (fn.upstream === 'root') known.functions.push(fn);
    found.set(key, known);
  }
  return [...found.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, { place, functions: present }]) => ({
      place,
      name: `pci${place.domain.toString(16).padStart(4, '0')}:${place.bus.toString(16).padStart(2, '0')}`,
      functions: present,
    }));
}

/** Says once what hides ACS, and how often. */
function remarkHidden(
  machine: MachineDraft,
  drafts: readonly FunctionDraft[],
  functions: readonly SettledFunction[],
): void {
  const hidden = drafts.filter(({ capabilities }) => capabilities === 'hidden');
  if (hidden[0] !== undefined) {
    machine.remark(
      'capabilities-hidden',
      hidden[0].name,
      `capabilities of ${hidden.length} functions are not shown (access denied)`,
      'their port type and ACS are unknown: run lspci as root',
      hidden[0].line,
    );
  }
  remarkBareListing(machine, drafts, functions);
  const cut = drafts.filter(({ open, capabilities }) => open && capabilities !== 'hidden');
  for (const draft of cut) {
    machine.remark(
      'block-cut-off',
      draft.name,
      'the text ends inside this function',
      'capabilities that are not listed are unknown',
      draft.line,
    );
  }
  for (const { changedBytes, name, line } of drafts) {
    if (changedBytes === 0) continue;
    const what = `${changedBytes} configuration bytes are dumped twice, and differ`;
    machine.remark('state-changed', name, what, 'they are taken as unknown', line);
  }
  remarkShortConfig(machine, functions);
  remarkHalfAcs(machine, functions);
}

/** Listings without -vv and drawings show no capabilities at all. */
function remarkBareListing(
  machine: MachineDraft,
  drafts: readonly FunctionDraft[],
  functions: readonly SettledFunction[],
): void {
  const bare = drafts.filter(
    ({ capabilities }, position) =>
      capabilities === 'none' &&
      functions[position]?.portType === 'unknown' &&
      functions[position]?.known.length === 0,
  );
  if (bare[0] === undefined || machine.partial) return;
  const what = `${bare.length} functions are shown without their capabilities`;
  machine.remark(
    'capabilities-hidden',
    bare[0].name,
    what,
    'their port type and ACS are unknown: use lspci -vvv as root',
    bare[0].line,
  );
}

function remarkShortConfig(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  const short = functions.filter(({ known, acs }) => known.length > 0 && acs.control === 'unknown');
  if (short[0] !== undefined) {
    machine.remark(
      'config-truncated',
      short[0].name,
      `configuration space of ${short.length} functions is not dumped as far as ACS could be`,
      'their ACS is unknown: use lspci -xxxx as root',
      short[0].line,
    );
  }
  const bare = functions.filter(
    ({ known, acs, portType }) =>
      known.length === 0 && typeof portType === 'number' && acs.offset === 'unknown',
  );
  if (bare[0] !== undefined) {
    machine.remark(
      'extended-space-hidden',
      bare[0].name,
      `no extended capabilities are shown for ${bare.length} PCI Express functions`,
      'their ACS is unknown: use lspci -vvv as root',
      bare[0].line,
    );
  }
}

function remarkHalfAcs(machine: MachineDraft, functions: readonly SettledFunction[]): void {
  for (const fn of functions) {
    if (typeof fn.acs.offset !== 'number' || fn.acs.control !== 'unknown') continue;
    machine.remark(
      'acs-incomplete',
      fn.name,
      'it has ACS, but its control register is not shown',
      'whether it redirects is unknown: use lspci -vvv',
      fn.line,
    );
  }
}
