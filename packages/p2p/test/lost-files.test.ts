// What a copy of /sys loses makes verdicts unknown, and changes none: files cut short, files and folders left out.
// The copies are made from recorded machines, with every file that a reader looks for.

import { fc, test } from '@fast-check/vitest';
import {
  type DumpedFunction,
  type FileTree,
  functionAt,
  type MachineDump,
  readTopologyTree,
} from '@sgfree/topology';
import { describe, expect } from 'vitest';
import { calcMapTypeAndDist, dumpRouteView, HostRules } from '../src/index.ts';
import { readOrRefused } from './fuzz/dump-invariants.ts';
import { recordedNames, recordedTree } from './fuzz/known-dumps.ts';
import { intel, zen } from './peer-tree.ts';

const rules = [zen, intel, 'unknown' as const].map((cpu) => new HostRules('7.3.4', cpu));
type Files = ReadonlyMap<string, Uint8Array>;

/** A machine as the files of a /sys. */
function filesOf(machine: MachineDump): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (path: string, value: string): void => {
    files.set(path, new TextEncoder().encode(`${value}\n`));
  };
  for (const fn of machine.functions) {
    const folder = `sys/devices/${pathOf(fn)}`;
    files.set(`${folder}/config`, fn.config);
    text(`${folder}/vendor`, `0x${Number(fn.vendorId).toString(16)}`);
    text(`${folder}/device`, `0x${Number(fn.deviceId).toString(16)}`);
    text(`${folder}/class`, `0x${(Number(fn.classId) * 256 + Number(fn.progIf)).toString(16)}`);
    text(`${folder}/resource`, '0x0000000000000000 0x0000000000000000 0x0000000000000000');
  }
  return files;
}

function pathOf({ name, upstream, address }: DumpedFunction): string {
  if (typeof upstream !== 'string') return `${pathOf(upstream)}/${name}`;
  const bus = address.bus.toString(16).padStart(2, '0');
  return `pci${name.slice(0, name.indexOf(':'))}:${bus}/${name}`;
}

function treeOf(files: Files): FileTree {
  const folders = new Map<string, Set<string>>();
  for (const path of files.keys()) {
    const parts = path.split('/');
    parts.forEach((part, depth) => {
      const folder = parts.slice(0, depth).join('/');
      folders.set(folder, (folders.get(folder) ?? new Set()).add(part));
    });
  }
  return {
    list: (path) => (folders.has(path) ? [...(folders.get(path) ?? [])] : undefined),
    read: (path) => files.get(path),
    link: () => undefined,
  };
}

type Loss = readonly [kind: 'file' | 'cut' | 'cut all' | 'folder' | 'links', at: number, length: number];
const lengths = [0, 3, 64, 100, 255, 256, 257, 300, 1000, 4095];
const losses = fc.array(
  fc.tuple(
    fc.constantFrom('file', 'cut', 'cut all', 'folder', 'links'),
    fc.nat(10_000),
    fc.constantFrom(...lengths),
  ),
  { minLength: 1, maxLength: 6 },
);

function reduced(files: Files, [kind, at, length]: Loss): Files {
  const paths = [...files.keys()];
  const path = paths[at % Math.max(paths.length, 1)] ?? '';
  const folder = path.slice(0, path.lastIndexOf('/'));
  const left = [...files];
  if (kind === 'file') return new Map(left.filter(([name]) => name !== path));
  // A bridge's own files; those below it stay.
  if (kind === 'folder')
    return new Map(left.filter(([name]) => name.slice(0, name.lastIndexOf('/')) !== folder));
  // Copied through /sys/bus/pci/devices, where the links were followed: no folder shows its parent any more.
  if (kind === 'links')
    return new Map(
      left.map(([name, bytes]) => [
        name.replace(/^sys\/devices\/.*\/([^/]+\/[^/]+)$/, 'sys/bus/pci/devices/$1'),
        bytes,
      ]),
    );
  const isCut = (name: string): boolean =>
    kind === 'cut' ? name === `${folder}/config` : name.endsWith('/config');
  return new Map(left.map(([name, bytes]) => [name, isCut(name) ? bytes.subarray(0, length) : bytes]));
}

describe.each(recordedNames)('%s', (name) => {
  const whole = readTopologyTree(recordedTree(name));
  const files = filesOf(whole);
  const before = dumpRouteView(whole);

  test('a copy of /sys is the same machine', () => {
    const copy = readTopologyTree(treeOf(files));
    const facts = ({ functions }: MachineDump): unknown[] =>
      functions.map((fn) => [
        fn.name,
        fn.portType,
        fn.acs,
        typeof fn.upstream === 'string' ? fn.upstream : fn.upstream.name,
      ]);
    expect(facts(copy)).toEqual(facts(whole));
  });

  test.prop([losses, fc.nat(100)], { numRuns: Number(process.env['TOPOLOGY_RUNS'] ?? 25) })(
    'what is lost makes verdicts unknown and nothing else',
    (steps, pick) => {
      let left: Files = files;
      for (const step of steps) left = reduced(left, step);
      const copy = readOrRefused(() => readTopologyTree(treeOf(left)));
      if (copy === undefined) return;
      const after = dumpRouteView(copy);
      for (const provider of copy.functions) {
        const client = copy.functions[
          (pick + provider.address.bus * 7) % copy.functions.length
        ] as DumpedFunction;
        const known = [provider, client].map((fn) => functionAt(whole, fn.name)) as [
          DumpedFunction,
          DumpedFunction,
        ];
        for (const rule of rules) {
          const [was, is] = [
            calcMapTypeAndDist(before, ...known, rule),
            calcMapTypeAndDist(after, provider, client, rule),
          ];
          const pair = `${provider.name} -> ${client.name}`;
          if (is.mapType !== 'unknown') expect([pair, is.mapType]).toEqual([pair, was.mapType]);
          if (is.distance !== 'unknown') expect([pair, is.distance]).toEqual([pair, was.distance]);
        }
      }
    },
  );
});
