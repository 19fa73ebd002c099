import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { checkFloors, unjudged } from './check-floors.ts';
import { allowedImports, floorTable } from './floor-table.ts';
import { plantedWorkspace } from './planted-workspace.ts';

const house: Readonly<Record<string, string>> = {
  'packages/hw-model/src/index.ts': "export { clock } from './clock.ts';\n",
  'packages/hw-model/src/clock.ts': 'export const clock = 1;\n',
  'packages/mm/src/index.ts': "export { clock as tick } from '@sgfree/hw-model';\n",
  'packages/dma-sg/src/index.ts':
    "import type { tick } from '@sgfree/mm';\nexport type Tick = typeof tick;\n",
  'packages/dma-iova/src/index.ts': "import '@sgfree/hw-model';\nexport const iova = 2;\n",
  'packages/dma-iova/src/stage-1.ts': "export { iova } from './index.ts';\n",
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function broken(planted: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = plantedWorkspace({ ...house, ...planted });
  folders.push(folder);
  const { violations } = await checkFloors(folder);
  return violations.map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`);
}

test('a house that keeps its floors has no violation', async () => {
  expect(await broken({})).toEqual([]);
});

const planted: [string, string, string, string][] = [
  ['an import from a higher floor', 'hw-model', "import '@sgfree/mm';", 'floor-of-hw-model'],
  [
    'a type import from a higher floor',
    'mm',
    "import type { Tick } from '@sgfree/dma-sg';\nexport type T = Tick;",
    'floor-of-mm',
  ],
  ['a type named inside import()', 'mm', "export type T = import('@sgfree/dma-sg').Tick;", 'floor-of-mm'],
  [
    'a re-export from a higher floor',
    'mm',
    "export { iova } from '@sgfree/dma-iova/stage-1';",
    'floor-of-mm',
  ],
  ['a sibling on the same floor', 'dma-sg', "import '@sgfree/dma-iova';", 'floor-of-dma-sg'],
  ['a builtin with its prefix', 'mm', "import 'node:fs';", 'no-builtin-below-floor-8'],
  ['a builtin without its prefix', 'mm', "import 'fs';", 'no-builtin-below-floor-8'],
  [
    'a dynamic import',
    'mm',
    "export const f = () => import('@sgfree/hw-model');",
    'no-dynamic-import-below-floor-8',
  ],
  [
    'a path into another package',
    'mm',
    "import '../../hw-model/src/clock.ts';",
    'no-way-round-the-exports-map',
  ],
  [
    'a file that no exports map names',
    'mm',
    "import '@sgfree/hw-model/src/clock.ts';",
    'no-unresolved-import',
  ],
  ['an npm package', 'mm', "import 'left-pad';", 'no-unresolved-import'],
];

test.each(planted)('%s fails', async (_, name, text, rule) => {
  const found = await broken({ [`packages/${name}/src/planted.ts`]: `${text}\n` });
  expect(found.join('\n')).toMatch(new RegExp(`^${rule}: packages/${name}/src/planted[.]ts -> `, 'm'));
});

test('the physical importer half of dma-buf is for iommufd alone, tests aside', async () => {
  const door = 'packages/dma-buf/src/iommufd.ts';
  const text = "import '@sgfree/dma-buf/iommufd';\nexport {};\n";
  const found = await broken({
    [door]: 'export const door = 1;\n',
    'packages/dma-buf/src/index.ts': 'export {};\n',
    'packages/iommufd/src/index.ts': text,
    'packages/rdma/src/index.ts': text,
    'packages/roadmap/src/index.ts': text,
    'packages/vfio-dmabuf/src/door.test.ts': text,
  });
  const rule = 'physical-lists-are-for-iommufd';
  expect(found.sort()).toEqual([
    `${rule}: packages/rdma/src/index.ts -> ${door}`,
    `${rule}: packages/roadmap/src/index.ts -> ${door}`,
  ]);
});

test('a cycle fails', async () => {
  const found = await broken({
    'packages/mm/src/a.ts': "import { b } from './b.ts';\nexport const a = (): number => b;\n",
    'packages/mm/src/b.ts': "import { a } from './a.ts';\nexport const b = 1;\nexport const c = a;\n",
  });
  expect(found.join('\n')).toContain('no-cycle: packages/mm/src/');
});

test('types of one package may look back at each other', async () => {
  const found = await broken({
    'packages/mm/src/a.ts': "import { b } from './b.ts';\nexport interface A {}\nexport const a = b;\n",
    'packages/mm/src/b.ts': "import type { A } from './a.ts';\nexport const b: A = {};\n",
  });
  expect(found).toEqual([]);
});

test('an app that reaches past an exports map fails', async () => {
  const found = await broken({ 'apps/compare/src/cli.ts': "import '../../../packages/mm/src/index.ts';\n" });
  expect(found).toEqual([
    'no-way-round-the-exports-map-from-outside: apps/compare/src/cli.ts -> packages/mm/src/index.ts',
  ]);
});

test('a package without a floor fails', async () => {
  expect(await broken({ 'packages/attic/src/index.ts': 'export const a = 1;\n' })).toContain(
    `${unjudged}: packages/attic -> has no floor`,
  );
});

test('nobody may import its own floor or a higher one', () => {
  for (const [name, floor] of Object.entries(floorTable)) {
    for (const other of allowedImports(name)) expect(floorTable[other]).toBeLessThan(floor);
  }
  expect(allowedImports('hw-model')).toEqual([]);
  expect(allowedImports('trace')).toEqual(['hw-model']);
});
