import { expect, test } from 'vitest';
import { type FileTree, functionAt, readTopologyTree } from '../src/index.ts';

/** A tree from paths: text is a file, `-> x` a link. */
function madeTree(files: Readonly<Record<string, string | Uint8Array>>): FileTree {
  const below = (path: string): string[] =>
    Object.keys(files).filter((name) => path === '' || name.startsWith(`${path}/`));
  const link = (path: string): string | undefined => {
    const held = files[path];
    return typeof held === 'string' && held.startsWith('-> ') ? held.slice(3) : undefined;
  };
  return {
    list: (path) => {
      const names = below(path).map(
        (name) => name.slice(path === '' ? 0 : path.length + 1).split('/')[0] ?? '',
      );
      return names.length === 0 ? undefined : [...new Set(names)];
    },
    read: (path) => {
      const held = files[path];
      if (held === undefined || link(path) !== undefined) return undefined;
      return typeof held === 'string' ? Uint8Array.from(held, (char) => char.charCodeAt(0)) : held;
    },
    link,
  };
}

const port = 'sys/devices/pci0000:00/0000:00:01.0';
const nic = `${port}/0000:01:00.0`;
const bytes = (length: number, values: Readonly<Record<number, number>>): Uint8Array => {
  const all = new Uint8Array(length);
  for (const [at, value] of Object.entries(values)) all[Number(at)] = value;
  return all;
};

const files = {
  'sys/bus/pci/devices/0000:00:01.0': '-> ../../../devices/pci0000:00/0000:00:01.0',
  'sys/bus/pci/devices/0000:01:00.0': '-> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0',
  [`${port}/config`]: bytes(64, { 0: 0x86, 1: 0x80, 11: 6, 10: 4, 14: 1, 25: 1, 26: 1, 6: 0x10, 52: 0x40 }),
  [`${port}/class`]: '0x060400\n',
  [`${nic}/config`]: bytes(256, {
    0: 0xb3,
    1: 0x15,
    2: 0x21,
    3: 0x10,
    11: 2,
    6: 0x10,
    52: 0x60,
    96: 0x10,
    98: 2,
  }),
  [`${nic}/vendor`]: '0x15b3\n',
  [`${nic}/class`]: '0x020000\n',
  [`${nic}/numa_node`]: '1\n',
  [`${nic}/resource`]: `${'0x0000000000000000 0x0000000000000000 0x0000000000000000\n'.repeat(2)}0x0000210000000000 0x0000210001ffffff 0x000000000014220c\n${'0x0 0x0 0x0\n'.repeat(4)}`,
  [`${nic}/driver`]: '-> ../../../../bus/pci/drivers/mlx5_core',
  [`${nic}/iommu_group`]: '-> ../../../../kernel/iommu_groups/17',
  'proc/cpuinfo': 'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n',
  'proc/iomem': '00001000-0009fbff : System RAM\n',
};

test('links, files and bytes of /sys', () => {
  const dump = readTopologyTree(madeTree(files));
  expect(dump).toMatchObject({
    formats: ['sysfs', 'iomem'],
    cpu: { vendor: 'GenuineIntel', family: 6, model: 143 },
  });
  expect(functionAt(dump, '01:00.0')).toMatchObject({
    vendorId: 0x15b3,
    portType: 0,
    // 256 bytes may be all that the platform reaches, or the beginning of a copy that was cut.
    acs: { control: 'unknown' },
    driver: 'mlx5_core',
    iommuGroup: 17,
    numaNode: 1,
    upstream: { name: '0000:00:01.0' },
    resources: [
      { kind: 'bar', index: 2, base: 0x210000000000, bytes: 2 ** 25, prefetchable: true, width: 64 },
    ],
  });
  expect(functionAt(dump, '00:01.0')).toMatchObject({
    portType: 'unknown',
    acs: { control: 'unknown' },
    upstream: 'root',
  });
});

test('a copy without /sys/bus, one folder down', () => {
  const moved = Object.fromEntries(
    Object.entries(files)
      .filter(([path]) => path.startsWith('sys/devices'))
      .map(([path, held]) => [`copy/${path}`, held]),
  );
  const dump = readTopologyTree(madeTree(moved));
  expect(
    dump.functions.map(({ name, upstream }) => [
      name,
      typeof upstream === 'string' ? upstream : upstream.name,
    ]),
  ).toEqual([
    ['0000:00:01.0', 'root'],
    ['0000:01:00.0', '0000:00:01.0'],
  ]);
});
