import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type DumpedFunction,
  deriveIommuGroups,
  firstDeviceOfRootBus,
  functionAt,
  hostBridgeOf,
  type MachineDump,
  readTopologyText,
  readTopologyTree,
} from '../src/index.ts';
import { bzip2Tree, hasBzip2 } from './bzip2-trees.ts';
import { published, publishedFiles, publishedRoot, withoutPublished } from './known-inputs.ts';

const here = publishedRoot !== undefined;

// A test that does not run must say so where people look.
if (!here) process.stderr.write(`${withoutPublished}\n`);
else if (!hasBzip2) process.stderr.write('no bzip2 on this machine: the archives of /sys are not read\n');

type Group = (name: string, tests: () => void) => void;
const nothing: Group = () => {};
const describeHere: Group = here ? describe : nothing;
const describeArchives: Group = here && hasBzip2 ? describe : nothing;

test('published machines', ({ annotate }) => {
  if (!here) void annotate(withoutPublished);
  expect(publishedRoot === undefined).toBe(!here);
});

const named = (dump: MachineDump, address: string): DumpedFunction => {
  const fn = functionAt(dump, address);
  if (fn === undefined) throw new Error(`no ${address}`);
  return fn;
};

const above = (fn: DumpedFunction): string[] => {
  const names: string[] = [];
  for (let { upstream } = fn; upstream !== 'root'; upstream = upstream.upstream) {
    if (upstream === 'unknown') return [...names, 'unknown'];
    names.push(upstream.name);
  }
  return names;
};

describeHere('the server with 517 functions', () => {
  const text = here ? published('gpud/lspci-vvv') : '00:00.0 Host bridge: none';
  const dump = readTopologyText(text);

  test('is read completely', () => {
    expect(dump.functions).toHaveLength(517);
    expect(dump.remarks).toEqual([]);
    expect(dump.functions.filter((fn) => fn.upstream === 'unknown')).toEqual([]);
    expect(
      dump.functions.filter(({ classId, portType }) => classId === 'unknown' || portType === 'unknown'),
    ).toEqual([]);
  });

  test('has 12 Mellanox functions, 4 of them with ACS, and 55 control registers', () => {
    const mellanox = dump.functions.filter(({ vendorId }) => vendorId === 0x15b3);
    expect(mellanox).toHaveLength(12);
    expect(mellanox.filter(({ acs }) => typeof acs.control === 'number')).toHaveLength(4);
    expect(mellanox.every(({ driver }) => driver === 'mlx5_core')).toBe(true);
    expect(dump.functions.filter(({ acs }) => typeof acs.control === 'number')).toHaveLength(55);
    expect(dump.functions.filter(({ acs }) => acs.control === 'unknown')).toEqual([]);
  });

  test('redirects at the NVSwitch ports only', () => {
    const redirecting = dump.functions.filter(
      ({ acs }) => typeof acs.control === 'number' && (acs.control & 0x2c) !== 0,
    );
    expect(redirecting.map(({ name }) => name)).toEqual([
      '0000:82:00.0',
      '0000:82:01.0',
      '0000:82:02.0',
      '0000:82:03.0',
    ]);
  });

  test('nests GPUs below switches, and names host bridges', () => {
    const gpus = dump.functions.filter(
      ({ classId, title }) => classId === 0x0302 && title.startsWith('NVIDIA'),
    );
    expect(gpus).toHaveLength(8);
    for (const gpu of gpus) {
      expect(above(gpu)).toHaveLength(3);
      const host = hostBridgeOf(dump, gpu);
      const first = host === 'unknown' ? 'unknown' : firstDeviceOfRootBus(host);
      expect(first === 'unknown' ? 'unknown' : [first.vendorId, first.deviceId]).toEqual([0x8086, 0x09a2]);
    }
    const [resource] = named(dump, '19:00.0').resources.filter(
      ({ index, kind }) => kind === 'bar' && index === 2,
    );
    expect(resource).toMatchObject({ base: 0x210000000000, bytes: 2 ** 37, prefetchable: true, width: 64 });
  });

  test('regions of virtual functions are no BARs', () => {
    const nic = dump.functions.find(({ title }) => title.includes('ConnectX-7'));
    expect(nic?.resources.map(({ kind, index }) => [kind, index])).toEqual([
      ['bar', 0],
      ['sriov', 0],
    ]);
  });

  test('groups are derived without a crash, and what is certain is whole', () => {
    const { groups } = deriveIommuGroups(dump);
    const members = groups.flatMap(({ members: inside }) => inside);
    expect(new Set(members).size).toBe(members.length);
  });
});

describeHere('listings with bytes and text', () => {
  const acsWords = /^(\s+)ACS(Cap|Ctl):.*$/gm;
  for (const file of publishedFiles('pciutils')) {
    test(file, () => {
      const text = published(`pciutils/${file}`);
      const both = readTopologyText(text);
      const bytes = readTopologyText(text.replace(/^[ \t].*\n/gm, ''));
      const words = readTopologyText(text.replace(/^[0-9a-f]{2,3}: .*\n/gm, ''));
      expect(both.remarks.filter(({ code }) => code === 'bytes-and-text-differ')).toEqual([]);
      for (const fn of both.functions) compareSources(fn, named(bytes, fn.name), named(words, fn.name));
      expect(both.functions.length).toBeGreaterThan(0);
      const controls = both.functions.filter(({ acs }) => typeof acs.control === 'number').length;
      if (acsWords.test(text)) expect(controls).toBeGreaterThan(0);
    });
  }
});

/** What both sources know is the same. */
function compareSources(both: DumpedFunction, bytes: DumpedFunction, words: DumpedFunction): void {
  const facts = (fn: DumpedFunction): unknown[] => [
    fn.portType,
    fn.acs.offset,
    fn.acs.capability,
    fn.acs.control,
    typeof fn.buses === 'string' ? fn.buses : fn.buses.secondary,
    typeof fn.buses === 'string' ? fn.buses : fn.buses.subordinate,
    fn.vendorId,
    fn.deviceId,
    fn.classId,
    fn.progIf,
    fn.headerType,
    fn.memoryEnabled,
    fn.busMaster,
  ];
  const known = facts(words);
  facts(bytes).forEach((fact, position) => {
    if (fact === 'unknown' || known[position] === 'unknown') return;
    expect([both.name, position, known[position]]).toEqual([both.name, position, fact]);
    expect(facts(both)[position]).toBe(fact);
  });
  for (const bar of words.resources.filter(({ kind }) => kind === 'bar')) {
    const register = bytes.resources.find(({ kind, index }) => kind === 'bar' && index === bar.index);
    // An address that only the kernel knows is printed as [virtual] or with the region disabled.
    if (register === undefined || bar.enabled === false) continue;
    const { space, busBase, prefetchable, width } = register;
    const line = [bar.space, bar.base, bar.prefetchable, bar.width];
    expect([both.name, bar.index, ...line]).toEqual([
      both.name,
      bar.index,
      space,
      busBase,
      prefetchable,
      width,
    ]);
  }
  const windows = (fn: DumpedFunction): unknown[] =>
    fn.resources
      .filter(({ kind, enabled }) => kind === 'window' && enabled !== false)
      .map(({ index, base, bytes: length }) => [index, base, length]);
  if (words.resources.some(({ kind }) => kind === 'window') && bytes.config.length >= 64) {
    expect([both.name, ...windows(words)]).toEqual([both.name, ...windows(bytes)]);
  }
}

describeHere('topology files of NCCL and RCCL', () => {
  const folders = ['rccl-topo', 'aws-ofi-nccl', 'azhpc', 'gvisor'];
  const files = folders.flatMap((folder) =>
    publishedFiles(folder)
      .filter((file) => file.endsWith('.xml'))
      .map((file) => `${folder}/${file}`),
  );
  test.each(files.filter((file) => !file.includes('graph')))('%s', (file) => {
    const text = published(file);
    const dump = readTopologyText(text);
    const busids = new Set(
      [...text.matchAll(/<pci [^>]*busid="([^"]+)"/g)].map(([, id]) => id?.toLowerCase()),
    );
    expect(dump.functions.map(({ name }) => name)).toEqual([...busids].sort());
    expect(dump.partial).toBe(true);
    expect(
      dump.functions.every(({ acs, portType }) => acs.control === 'unknown' && portType === 'unknown'),
    ).toBe(true);
    expect(dump.cpu === 'unknown').toBe(!/familyid=/.test(text));
  });

  test('a graph file is refused with the line and what is expected', () => {
    const read = (): MachineDump => readTopologyText(published('azhpc/ncv4-graph.xml'));
    expect(read).toThrow(/expected one <system>/);
  });
});

describeHere('a report with a drawing and some listings', () => {
  test('drawing and listings are one machine', () => {
    const dump = readTopologyText(here ? published('stelline/asus-esc8000a-e12.md') : '');
    expect(dump.formats).toContain('lspci-tree');
    expect(dump.functions.filter(({ upstream }) => upstream === 'unknown')).toEqual([]);
    expect(above(named(dump, '65:00.0'))).toEqual([
      '0000:64:10.0',
      '0000:63:00.0',
      '0000:62:00.0',
      '0000:61:00.0',
      '0000:60:01.1',
    ]);
    expect(named(dump, '01:00.0').driver).toBe('nvidia');
  });
});

describeArchives('trees of /sys', () => {
  const archives = publishedFiles('hwloc/linux').filter((file) => file.endsWith('.tar.bz2'));
  test.each(archives)('%s', (file) => {
    const dump = readTopologyTree(bzip2Tree(join(publishedRoot ?? '', 'hwloc/linux', file)));
    expect(dump.functions.length).toBeGreaterThan(2);
    expect(
      dump.remarks.filter(({ code }) => code === 'nested-differently' || code === 'bus-claimed-twice'),
    ).toEqual([]);
    const cutDown = dump.remarks.some(({ code }) => code === 'bus-without-bridge');
    for (const fn of dump.functions) {
      // One archive holds endpoints only: then nobody can know what is above them.
      if (!cutDown) expect(fn.upstream).not.toBe('unknown');
      expect(fn.known).toHaveLength(fn.known.length === 0 ? 0 : 64);
      if (fn.known.length > 0 && fn.classId === 0x0604) {
        expect(fn.buses === 'unknown' ? fn.name : '').toBe('');
      }
    }
    const expected = expectedBridges(file);
    for (const { bus, device } of expected)
      expect([device, nestingOf(named(dump, device))]).toEqual([device, bus]);
  });
});

/** In the published answer: for each PCI object the bridge (or host bridge) it is listed under. */
function expectedBridges(archive: string): { device: string; bus: string }[] {
  const file = archive.replace('.tar.bz2', '.xml');
  if (!publishedFiles('hwloc/linux').includes(file)) return [];
  const stack: string[] = [];
  const found: { device: string; bus: string }[] = [];
  for (const [tag] of published(`hwloc/linux/${file}`).matchAll(/<object[^>]*>|<\/object>/g)) {
    if (tag === '</object>') {
      stack.pop();
      continue;
    }
    const busid = /pci_busid="([^"]+)"/.exec(tag)?.[1];
    const host = /bridge_type="0-1"/.test(tag) ? 'root' : undefined;
    if (busid !== undefined) {
      const bridge = stack.findLast((entry) => entry !== '');
      if (bridge !== undefined) found.push({ device: busid, bus: bridge });
    }
    if (!tag.endsWith('/>')) stack.push(busid ?? host ?? '');
  }
  return found;
}

const nestingOf = ({ upstream }: DumpedFunction): string =>
  typeof upstream === 'string' ? upstream : upstream.name;
