// A tree of /sys, live or copied: one folder per function, with its bytes, its ranges and its links.
// Source followed: Documentation/ABI/testing/sysfs-bus-pci. `config` has 64 bytes for whoever is not root, else 256 or
// 4096. `/proc/iomem` and `/proc/cpuinfo` are taken where they stand beside.
// Simplified: copies that hold /sys/devices only, without /sys/bus, are walked from the host bridges down.

import { parsePciAddress } from '../model/pci-address.ts';
import { readCpuInfo } from './cpu-info.ts';
import { stateDevicePath } from './device-path.ts';
import { type FileTree, lastName, readText, resolveLink, under } from './file-tree.ts';
import type { FunctionDraft } from './function-draft.ts';
import { isIomemLine, readIomemLine } from './iomem-line.ts';
import type { MachineDraft } from './machine-draft.ts';
import { readResourceTable } from './resource-table.ts';
import { wholeNumber } from './whole-number.ts';

/** Facts of a function that are numbers. */
type NumberFact =
  | 'vendorId'
  | 'deviceId'
  | 'subsystemVendorId'
  | 'subsystemId'
  | 'classId'
  | 'progIf'
  | 'numaNode'
  | 'iommuGroup';

type NumberFacts = { readonly [K in NumberFact]?: number | undefined };

/** Where /sys begins inside the tree: at `sys`, at the top, or one folder down; undefined when nowhere. */
export function sysfsTop(tree: FileTree): string | undefined {
  const tops = ['sys', '', ...(tree.list('') ?? []).flatMap((name) => [`${name}/sys`, name])];
  return tops.find(
    (top) => tree.list(under(top, 'bus/pci/devices')) !== undefined || hostFolders(tree, top).length > 0,
  );
}

const hostFolders = (tree: FileTree, top: string): string[] =>
  (tree.list(under(top, 'devices')) ?? [])
    .filter((name) => /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/i.test(name))
    .map((name) => under(top, `devices/${name}`));

/** Reads every function of the tree that begins at `top`. */
export function readSysfsTree(machine: MachineDraft, tree: FileTree, top: string): void {
  machine.formats.add('sysfs');
  for (const folder of functionFolders(tree, top)) readFunction(machine, tree, folder);
  const proc = top === 'sys' || top === '' ? 'proc' : `${top.replace(/(?:^|\/)sys$/, '')}/proc`;
  readProc(machine, tree, proc.replace(/^\//, ''));
}

/** Reads `iomem` and `cpuinfo` of a folder. */
export function readProc(machine: MachineDraft, tree: FileTree, folder: string): void {
  const cpu = readText(tree, under(folder, 'cpuinfo'));
  if (cpu !== undefined) machine.cpu = readCpuInfo(cpu);
  machine.file = under(folder, 'iomem');
  (readText(tree, machine.file) ?? '').split('\n').forEach((line, index) => {
    machine.line = index + 1;
    if (isIomemLine(line)) readIomemLine(machine, line);
  });
  machine.file = '';
  machine.line = 0;
}

function functionFolders(tree: FileTree, top: string): string[] {
  const bus = under(top, 'bus/pci/devices');
  const names = tree.list(bus);
  if (names === undefined) return hostFolders(tree, top).flatMap((host) => foldersBelow(tree, host, 0));
  return names
    .filter((name) => parsePciAddress(name) !== undefined)
    .map((name) => {
      const target = tree.link(under(bus, name));
      return (target === undefined ? undefined : resolveLink(bus, target)) ?? under(bus, name);
    });
}

function foldersBelow(tree: FileTree, folder: string, depth: number): string[] {
  if (depth > 64) return [];
  return (tree.list(folder) ?? [])
    .filter((name) => parsePciAddress(name) !== undefined)
    .map((name) => under(folder, name))
    .flatMap((path) => [path, ...foldersBelow(tree, path, depth + 1)]);
}

function readFunction(machine: MachineDraft, tree: FileTree, folder: string): void {
  const address = parsePciAddress(lastName(folder));
  if (address === undefined) return;
  machine.file = folder;
  const draft = machine.at(address);
  stateDevicePath(machine, draft, folder);
  stateIdentity(machine, draft, (name) => readText(tree, under(folder, name))?.trim());
  stateConfig(draft, tree.read(under(folder, 'config')));
  const rows = readText(tree, under(folder, 'resource'))
    ?.split('\n')
    .filter((row) => row.trim() !== '');
  if (rows !== undefined) readResourceTable(machine, draft, rows);
  stateLinks(machine, draft, (name) => tree.link(under(folder, name)));
  machine.file = '';
}

function stateIdentity(
  machine: MachineDraft,
  draft: FunctionDraft,
  text: (name: string) => string | undefined,
): void {
  const facts = {
    vendorId: wholeNumber(text('vendor'), 0xffff),
    deviceId: wholeNumber(text('device'), 0xffff),
    subsystemVendorId: wholeNumber(text('subsystem_vendor'), 0xffff),
    subsystemId: wholeNumber(text('subsystem_device'), 0xffff),
    numaNode: wholeNumber(text('numa_node'), 0xffff),
    ...classFacts(wholeNumber(text('class'), 0xffffff)),
  };
  stateEach(machine, draft, facts);
}

/** Class and programming interface of a 24-bit class code. */
export const classFacts = (code: number | undefined): NumberFacts => ({
  classId: code === undefined ? undefined : Math.floor(code / 256),
  progIf: code === undefined ? undefined : code & 0xff,
});

/** States every number that is there. */
export function stateEach(machine: MachineDraft, draft: FunctionDraft, facts: NumberFacts): void {
  for (const [key, value] of Object.entries(facts) as [NumberFact, number | undefined][]) {
    if (value !== undefined) machine.state(draft, key, value);
  }
}

function stateConfig(draft: FunctionDraft, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return;
  bytes.subarray(0, 4096).forEach((value, offset) => {
    draft.byte(offset, value, 0);
  });
}

function stateLinks(
  machine: MachineDraft,
  draft: FunctionDraft,
  link: (name: string) => string | undefined,
): void {
  const driver = link('driver');
  if (driver !== undefined) machine.state(draft, 'driver', lastName(driver));
  const group = wholeNumber(lastName(link('iommu_group') ?? 'none'));
  if (group !== undefined) machine.state(draft, 'iommuGroup', group);
  if (link('physfn') !== undefined) machine.state(draft, 'virtualFunction', true);
  // Every function has this one: where links were copied, a missing one says something.
  else if (link('subsystem') !== undefined) machine.state(draft, 'virtualFunction', false);
}
