import { join } from 'node:path';
import { renderLspci, sampleNcclXml, sampleShortListing, sampleTree } from '@sgfree/machine-texts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DumpedFunction,
  deriveIommuGroups,
  type FileTree,
  firstDeviceOfRootBus,
  type MachineDump,
  readTopologyText,
  readTopologyTree,
  TopologyInputError,
} from '../src/index.ts';
import { folderTree } from './folder-tree.ts';
import { published, publishedFiles, publishedRoot, recordedRoot } from './known-inputs.ts';

const folder = folderTree(join(recordedRoot, 'p2p/C_intel/topo'));
const rendered = renderLspci(readTopologyTree(folder), true).slice(0, 60_000);
const texts = [
  rendered,
  renderLspci(readTopologyTree(folder), false),
  sampleNcclXml,
  sampleTree,
  sampleShortListing,
];
if (publishedRoot !== undefined) {
  texts.push(
    published('gpud/lspci-vvv').slice(0, 80_000),
    published('stelline/asus-esc8000a-e12.md').slice(0, 30_000),
  );
  for (const file of publishedFiles('rccl-topo').filter((name) => name.endsWith('.xml')))
    texts.push(published(`rccl-topo/${file}`));
  for (const file of publishedFiles('pciutils').slice(0, 12)) texts.push(published(`pciutils/${file}`));
}

type Damage = readonly [kind: number, at: number, length: number, other: number];
const damage = fc.array(fc.tuple(fc.nat(6), fc.nat(2 ** 20), fc.nat(400), fc.nat(2 ** 20)), {
  minLength: 1,
  maxLength: 8,
});

function damaged(text: string, steps: readonly Damage[]): string {
  let now = text;
  for (const [kind, place, length, other] of steps) {
    const at = place % (now.length + 1);
    const from = other % (now.length + 1);
    if (kind === 0) now = now.slice(0, at) + now.slice(at + length);
    else if (kind === 1) now = now.slice(0, at) + now.slice(from, from + length) + now.slice(at);
    else if (kind === 2) now = now.slice(0, at) + String.fromCharCode(other % 128) + now.slice(at + 1);
    else if (kind === 3) now = now.slice(0, at);
    else if (kind === 4)
      now = now.slice(0, at) + '0123456789abcdef:.[]-+<>/"\n\t '.charAt(other % 29) + now.slice(at);
    else if (kind === 5) now = now.slice(0, at).replaceAll('\n', '\r\n') + now.slice(at);
    else now += texts[other % texts.length]?.slice(0, 2000) ?? '';
  }
  return now;
}

/** Whatever was read is a tree, in order, and every question about it has an answer. */
function checkShape(dump: MachineDump): void {
  const names = new Set(dump.functions.map(({ name }) => name));
  expect(names.size).toBe(dump.functions.length);
  for (const fn of dump.functions) {
    const seen = new Set<DumpedFunction>();
    for (let at: DumpedFunction['upstream'] = fn; typeof at !== 'string'; at = at.upstream) {
      expect(seen.has(at)).toBe(false);
      seen.add(at);
    }
  }
  for (const host of dump.hostBridges) firstDeviceOfRootBus(host);
  const { groups } = deriveIommuGroups(dump);
  expect(groups.flatMap(({ members }) => members).length).toBeLessThanOrEqual(dump.functions.length);
}

function readOrRefuse(read: () => MachineDump): void {
  let dump: MachineDump;
  try {
    dump = read();
  } catch (error) {
    expect(error).toBeInstanceOf(TopologyInputError);
    return;
  }
  checkShape(dump);
}

const runs = Number(process.env['TOPOLOGY_RUNS'] ?? 300);

test('damaged texts are read or refused, never a crash', () => {
  fc.assert(
    fc.property(fc.nat(texts.length - 1), damage, (which, steps) => {
      readOrRefuse(() => readTopologyText(damaged(texts[which] ?? '', steps)));
    }),
    { numRuns: runs },
  );
});

test('damaged files of a recorded folder are read or refused, never a crash', () => {
  const files = ['pci.txt', 'pci_resources.txt', 'pci_config.hex', 'iommu_groups.txt', 'iomem', 'cpuinfo'];
  fc.assert(
    fc.property(fc.constantFrom(...files), damage, (file, steps) => {
      const tree: FileTree = {
        ...folder,
        read: (path) =>
          path === file
            ? Buffer.from(damaged(Buffer.from(folder.read(path) ?? []).toString('latin1'), steps), 'latin1')
            : folder.read(path),
      };
      readOrRefuse(() => readTopologyTree(tree));
    }),
    { numRuns: Math.ceil(runs / 2) },
  );
});

describe('sizes', () => {
  test('300,000 lines of functions are refused at the bound, with the line', () => {
    const lines = Array.from({ length: 300_000 }, (_, i) => {
      const [domain, rest] = [Math.floor(i / 65_536), i % 65_536];
      const devfn = rest % 256;
      const address = [
        domain.toString(16).padStart(4, '0'),
        Math.floor(rest / 256)
          .toString(16)
          .padStart(2, '0'),
        Math.floor(devfn / 8)
          .toString(16)
          .padStart(2, '0'),
      ].join(':');
      return `${address}.${devfn % 8} Bridge: a b`;
    });
    expect(() => readTopologyText(lines.join('\n'))).toThrow(/line 65537: found more than 65536 functions/);
  });

  test('300,000 lines of one machine are read', () => {
    const text = `${renderLspci(readTopologyTree(folder), true)}\tsome text\n`;
    const many = text + 'a line of prose\n'.repeat(300_000);
    expect(readTopologyText(many).functions).toHaveLength(readTopologyTree(folder).functions.length);
  });
});
