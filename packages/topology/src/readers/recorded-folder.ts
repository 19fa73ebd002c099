// The folders recorded with the conformance vectors: what a machine showed of itself, in five plain files.
// Source followed: the README of the recorded vectors: pci.txt, pci_resources.txt, pci_config.hex, iommu_groups.txt,
// and iomem and cpuinfo as the kernel printed them.
// Simplified: reserved regions of groups are not kept.

import { parsePciAddress } from '../model/pci-address.ts';
import { stateDevicePath } from './device-path.ts';
import { type FileTree, readText } from './file-tree.ts';
import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';
import { readResourceTable } from './resource-table.ts';
import { classFacts, readProc, stateEach } from './sysfs-tree.ts';
import { wholeNumber } from './whole-number.ts';

/** Whether the tree is such a folder. */
export const isRecordedFolder = (tree: FileTree): boolean => (tree.list('') ?? []).includes('pci.txt');

/** Reads the folder. */
export function readRecordedFolder(machine: MachineDraft, tree: FileTree): void {
  machine.formats.add('recorded-folder');
  eachLine(machine, tree, 'pci.txt', (line) => readFunctionLine(machine, line));
  readResources(machine, tree);
  readHexDump(machine, tree);
  eachLine(machine, tree, 'iommu_groups.txt', (line) => readGroupLine(machine, line));
  readProc(machine, tree, '');
}

function eachLine(machine: MachineDraft, tree: FileTree, file: string, read: (line: string) => void): void {
  machine.file = file;
  (readText(tree, file) ?? '').split('\n').forEach((line, index) => {
    machine.line = index + 1;
    if (line.trim() !== '') read(line);
  });
  machine.file = '';
  machine.line = 0;
}

function functionNamed(machine: MachineDraft, name: string | undefined): FunctionDraft {
  const address = parsePciAddress(name ?? '');
  if (address === undefined)
    throw machine.malformed(JSON.stringify(name ?? ''), 'a PCI address such as 0000:03:00.0');
  return machine.at(address);
}

function readFunctionLine(machine: MachineDraft, line: string): void {
  const [name, ...pairs] = line.trim().split(' ');
  const draft = functionNamed(machine, name);
  const values = new Map(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const text = (key: string): string => values.get(key) ?? '';
  const number = (key: string, most: number): number | undefined => wholeNumber(values.get(key), most);
  const facts = { vendorId: number('vendor', 0xffff), deviceId: number('device', 0xffff) };
  const group = number('group', 0xffffffff);
  stateEach(machine, draft, { ...facts, ...classFacts(number('class', 0xffffff)), iommuGroup: group });
  if (text('driver') !== '') machine.state(draft, 'driver', text('driver'));
  stateDevicePath(machine, draft, text('path'));
}

function readResources(machine: MachineDraft, tree: FileTree): void {
  const rows = new Map<string, string[]>();
  eachLine(machine, tree, 'pci_resources.txt', (line) => {
    const space = line.indexOf(' ');
    const name = line.slice(0, space);
    const known = rows.get(name);
    if (known === undefined) rows.set(name, [line.slice(space)]);
    else known.push(line.slice(space));
  });
  for (const [name, table] of rows) readResourceTable(machine, functionNamed(machine, name), table);
}

/** `hexdump -C`: an offset, sixteen bytes; `*` repeats the line above up to the next offset; the last offset is the end. */
function readHexDump(machine: MachineDraft, tree: FileTree): void {
  let draft: FunctionDraft | undefined;
  let previous: readonly number[] = [];
  let next = 0;
  let repeating = false;
  eachLine(machine, tree, 'pci_config.hex', (line) => {
    if (line.startsWith('== ')) {
      draft = functionNamed(machine, line.slice(3).trim());
      [previous, next, repeating] = [[], 0, false];
      return;
    }
    if (line.trim() === '*') repeating = true;
    else if (draft !== undefined) {
      const offset = Number.parseInt(line.slice(0, 8), 16);
      for (; repeating && next < offset && next < 4096; next += 16)
        putBytes(draft, next, previous, machine.line);
      repeating = false;
      previous = hexBytes(line);
      putBytes(draft, offset, previous, machine.line);
      next = offset + previous.length;
    }
  });
}

const hexBytes = (line: string): number[] =>
  line
    .slice(8, 58)
    .split(' ')
    .filter((pair) => /^[0-9a-f]{2}$/.test(pair))
    .map((pair) => Number.parseInt(pair, 16));

function putBytes(draft: FunctionDraft, offset: number, bytes: readonly number[], line: number): void {
  bytes.forEach((value, i) => {
    draft.byte(offset + i, value, line);
  });
}

function readGroupLine(machine: MachineDraft, line: string): void {
  const match = /^group ([0-9]+) type=\S+ devices=(.*)$/.exec(line.trim());
  if (match === null) return;
  for (const name of (match[2] ?? '').split(' ').filter((part) => part !== '')) {
    machine.state(functionNamed(machine, name), 'iommuGroup', Number(match[1]));
  }
}
