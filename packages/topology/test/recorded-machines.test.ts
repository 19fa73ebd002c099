import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  acsWithParameters,
  type DumpedFunction,
  deriveIommuGroups,
  formatPciAddress,
  functionAt,
  type MachineDump,
  parseAcsParameters,
  readTopologyTree,
} from '../src/index.ts';
import { folderTree } from './folder-tree.ts';
import { recordedMachines, recordedRoot } from './known-inputs.ts';

const machines = recordedMachines();
const read = (name: string): MachineDump => readTopologyTree(folderTree(join(recordedRoot, name)));

/** The partition: for each group its number and the sorted names of its members. */
function recordedGroups(dump: MachineDump): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const fn of dump.functions) {
    if (fn.iommuGroup === undefined) continue;
    groups.set(fn.iommuGroup, [...(groups.get(fn.iommuGroup) ?? []), fn.name]);
  }
  return groups;
}

function derivedGroups(dump: MachineDump): Map<number, string[]> {
  const { groups } = deriveIommuGroups(dump);
  return new Map(groups.map(({ number, members }) => [Number(number), members.map(({ name }) => name)]));
}

const sorted = (groups: Map<number, string[]>): [number, string[]][] => [...groups].sort(([a], [b]) => a - b);

test('recorded machines are there', () => {
  expect(machines.length).toBeGreaterThanOrEqual(20);
});

describe.each(machines)('%s', (name) => {
  const dump = read(name);

  test('everything is known and nothing is remarked', () => {
    expect(dump.remarks).toEqual([]);
    for (const fn of dump.functions) {
      expect([fn.name, fn.upstream === 'unknown', fn.rootBus]).not.toContain('unknown');
      expect([fn.portType, fn.acs.control, fn.headerType, fn.multifunction, fn.vendorId]).not.toContain(
        'unknown',
      );
    }
  });

  test('derived groups are the recorded ones, numbers included', () => {
    const recorded = recordedGroups(dump);
    const derived =
      recorded.size === 0 ? deriveIommuGroups(dump, { iommu: 'off' }).groups : derivedGroups(dump);
    if (recorded.size === 0) expect(derived).toEqual([]);
    else expect(sorted(derived as Map<number, string[]>)).toEqual(sorted(recorded));
  });

  test('paths from bus numbers alone are the recorded ones', () => {
    const folder = folderTree(join(recordedRoot, name));
    const tree = {
      ...folder,
      read: (path: string) => (path === 'pci.txt' ? withoutPaths(folder.read(path)) : folder.read(path)),
    };
    const blind = readTopologyTree(tree);
    const chain = (fn: DumpedFunction): string =>
      typeof fn.upstream === 'string' ? fn.upstream : fn.upstream.name;
    expect(blind.functions.map(chain)).toEqual(dump.functions.map(chain));
  });
});

const withoutPaths = (bytes: Uint8Array | undefined): Uint8Array =>
  Buffer.from(
    Buffer.from(bytes ?? [])
      .toString('latin1')
      .replace(/ path=\S+/g, ''),
  );

interface RecordedDevice {
  readonly dev: string;
  readonly pcie_type: number;
  readonly upstream: string | null;
  readonly root_bus: string;
  readonly acs_cap: number;
  readonly acs_caps: string;
  readonly acs_ctrl: string;
  readonly multifunction: number;
  readonly hdr: number;
  readonly class: string;
  readonly bars: readonly (readonly [number, string, string, string])[];
}

/** The device list that the kernel printed with the pairs of the same boot. */
function kernelView(folder: string): readonly RecordedDevice[] {
  const name = readdirSync(folder).find((file) => /^p2p_pairs[.]jsonl/.test(file)) ?? '';
  const bytes = readFileSync(join(folder, name));
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return (JSON.parse(text.slice(0, text.indexOf('\n'))) as { devices: RecordedDevice[] }).devices;
}

const withPairs = machines.filter((name) => name.startsWith('p2p/'));

test.each(withPairs)('%s: functions are what the kernel of that boot saw', (name) => {
  const dump = read(name);
  for (const device of kernelView(join(recordedRoot, name, '..'))) {
    const fn = functionAt(dump, device.dev);
    expect(fn, device.dev).toBeDefined();
    if (fn === undefined) continue;
    const { offset, capability, control } = fn.acs;
    const bars = fn.resources
      .filter(({ kind }) => kind === 'bar')
      .map(({ index, base, bytes }) => [index, base, bytes]);
    expect({
      portType: fn.portType === 'absent' ? -1 : fn.portType,
      upstream: typeof fn.upstream === 'string' ? null : fn.upstream.name,
      rootBus:
        fn.rootBus === 'unknown' ? '' : formatPciAddress({ ...fn.rootBus, device: 0, fn: 0 }).slice(0, -5),
      acs: offset === 'absent' ? [0, 0, 0] : [offset, capability, control],
      hdr: fn.headerType,
      bars,
      multifunction: fn.multifunction,
    }).toEqual({
      portType: device.pcie_type,
      upstream: device.upstream,
      rootBus: device.root_bus,
      acs: [device.acs_cap, Number(device.acs_caps), Number(device.acs_ctrl)],
      hdr: device.hdr,
      bars: device.bars.map(([index, start, length]) => [index, Number(start), Number(length)]),
      multifunction: device.multifunction === 1 || fn.address.fn > 0,
    });
  }
});

/** The same machine booted with and without ACS parameters: predict one from the other. */
const boots: readonly (readonly [string, string])[] = [
  ['p2p/acs_off/topo', 'p2p/A_zen/topo'],
  ['p2p/acs_cfg/topo', 'p2p/A_zen/topo'],
  ['p2p/acs_cfg2/topo', 'p2p/A_zen/topo'],
];

describe.each(boots.filter(([name]) => existsSync(join(recordedRoot, name))))(
  '%s predicted from %s',
  (name, plain) => {
    const run = readFileSync(join(recordedRoot, name, '../RUN.txt'), 'latin1');
    const commandLine = /^kernel_cmdline=(.*)$/m.exec(run)?.[1] ?? '';
    const before = read(plain);
    const after = read(name);
    const parameters = parseAcsParameters(commandLine);

    test('control registers', () => {
      const changes = acsWithParameters(before, parameters, { kernel: '7.3', firmware: 'zero' });
      const predicted = new Map(changes.map((change) => [change.fn.name, change.after.value]));
      for (const fn of before.functions) {
        expect([fn.name, predicted.get(fn.name) ?? fn.acs.control]).toEqual([
          fn.name,
          functionAt(after, fn.name)?.acs.control,
        ]);
      }
    });

    test('without knowing what firmware left, every known bit is right', () => {
      const changes = acsWithParameters(before, parameters, { kernel: '7.3', firmware: 'unknown' });
      for (const { fn, after: control } of changes) {
        const real = Number(functionAt(after, fn.name)?.acs.control);
        expect([fn.name, real & ~control.unknownBits & 0x7f]).toEqual([fn.name, control.value]);
      }
    });

    test('groups', () => {
      const changes = acsWithParameters(before, parameters, { kernel: '7.3', firmware: 'zero' });
      const controls = new Map(changes.map((change) => [change.fn, change.after]));
      const { groups } = deriveIommuGroups(before, { controls });
      const partition = groups.map(({ members }) => members.map(({ name: member }) => member));
      expect(partition).toEqual(sorted(recordedGroups(after)).map(([, members]) => members));
    });
  },
);
