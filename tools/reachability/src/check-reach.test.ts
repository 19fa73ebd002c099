import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkReach } from './check-reach.ts';
import { importedSpecifiers } from './module-imports.ts';
import { type ReachRule, reachRules } from './reach-rules.ts';

const rule: ReachRule = {
  start: 'packages/roadmap/src/stage-1.ts',
  forbidden: ['packages/dma-sg/'],
  required: ['packages/block/'],
  why: 'test',
};

const manifest = (name: string): string =>
  JSON.stringify({
    name: `@sgfree/${name}`,
    exports: {
      '.': { '@sgfree/source': './src/index.ts' },
      './stage-1': { '@sgfree/source': './src/stage-1.ts' },
      './package.json': './package.json',
    },
  });

const house: Readonly<Record<string, string>> = {
  'packages/roadmap/package.json': manifest('roadmap'),
  'packages/roadmap/src/stage-1.ts': "export { run } from './run.ts';\n",
  'packages/roadmap/src/run.ts':
    "import { submit } from '@sgfree/block/stage-1';\nexport const run = submit;\n",
  'packages/block/package.json': manifest('block'),
  'packages/block/src/index.ts': "export * from '@sgfree/dma-sg';\n",
  'packages/block/src/stage-1.ts': "export { submit } from './submit.ts';\n",
  'packages/block/src/submit.ts': 'export const submit = 1;\n',
  'packages/dma-sg/package.json': manifest('dma-sg'),
  'packages/dma-sg/src/index.ts': 'export interface SgTable {}\n',
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function workspace(planted: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-reach-'));
  folders.push(folder);
  for (const [path, text] of Object.entries({ ...house, ...planted })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test('a stage entry that avoids the package passes and says how many modules it walked', () => {
  const verdict = checkReach(workspace({}), rule);
  expect(verdict).toMatchObject({ passed: true, modules: 4 });
  expect(verdict.lines[0]).toContain('4 modules walked');
});

test.each([
  ['an import', "import '@sgfree/dma-sg';"],
  ['a type import', "import type { SgTable } from '@sgfree/dma-sg';"],
  ['a type inside import()', "export type T = import('@sgfree/dma-sg').SgTable;"],
  ['a re-export', "export type { SgTable } from '@sgfree/dma-sg';"],
  ['a dynamic import', "export const f = () => import('@sgfree/dma-sg');"],
  ['an augmented module', "declare module '@sgfree/dma-sg' {\n  interface SgTable {}\n}"],
  ['a reference to types', '/// <reference types="@sgfree/dma-sg" />\nexport {};'],
  ['a reference to a path', '/// <reference path="../../dma-sg/src/index.ts" />\nexport {};'],
  ['a relative path', "import '../../dma-sg/src/index.ts';"],
  ['a package that reaches it', "import '@sgfree/block';"],
])('%s of the forbidden package fails', (_, text) => {
  const verdict = checkReach(workspace({ 'packages/block/src/submit.ts': `${text}\n` }), rule);
  expect(verdict.passed).toBe(false);
  expect(verdict.lines.join('\n')).toContain('-> packages/dma-sg/src/index.ts');
});

test('the shortest chain is shown', () => {
  const planted = { 'packages/block/src/submit.ts': "import '@sgfree/dma-sg';\n" };
  expect(checkReach(workspace(planted), rule).lines[1]).toBe(
    '  reaches packages/roadmap/src/stage-1.ts -> packages/roadmap/src/run.ts -> packages/block/src/stage-1.ts' +
      ' -> packages/block/src/submit.ts -> packages/dma-sg/src/index.ts',
  );
});

test.each([
  ['a file that is not there', "import './gone.ts';"],
  ['an entry that no exports map names', "import '@sgfree/dma-sg/stage-9';"],
  ['a computed dynamic import', 'export const f = (name: string) => import(name);'],
])('%s cannot be followed and fails', (_, text) => {
  const verdict = checkReach(workspace({ 'packages/block/src/submit.ts': `${text}\n` }), rule);
  expect(verdict.passed).toBe(false);
  expect(verdict.lines.join('\n')).toContain('cannot follow packages/block/src/submit.ts');
});

test('a start that reaches nothing proves nothing and fails', () => {
  const verdict = checkReach(workspace({ 'packages/roadmap/src/stage-1.ts': 'export {};\n' }), rule);
  expect(verdict.passed).toBe(false);
  expect(verdict.lines[1]).toBe('  does not reach packages/block/, which it stands on');
});

test('a start that does not exist fails', () => {
  expect(checkReach(workspace({}), { ...rule, start: 'packages/roadmap/src/stage-7.ts' }).passed).toBe(false);
});

test('comments and strings are no imports; npm packages are leaves', () => {
  const text = "// import './a.ts'\nconst s = \"import './b.ts'\";\nimport 'node:fs';\nexport { s };\n";
  expect(importedSpecifiers('x.ts', text)).toEqual(['node:fs']);
  const planted = { 'packages/block/src/submit.ts': `import 'left-pad';\n${text}` };
  expect(checkReach(workspace(planted), rule).passed).toBe(true);
});

test('stages 1, 2, RDMA from stage 4 and mapping types must not reach scatterlists, and stage 0 not the two-step API', () => {
  expect(reachRules.map(({ start, forbidden }) => [start, ...forbidden])).toEqual([
    ['packages/roadmap/src/stage-1.ts', 'packages/dma-sg/'],
    ['packages/roadmap/src/stage-2.ts', 'packages/dma-sg/'],
    ['packages/roadmap/src/stage-0.ts', 'packages/dma-iova/'],
    [
      'packages/roadmap/src/stage-4.ts',
      'packages/rdma/src/umem/sg',
      'packages/rdma/src/stage-0',
      'packages/rdma/src/stage-3',
    ],
    [
      'packages/roadmap/src/stage-5.ts',
      'packages/rdma/src/umem/sg',
      'packages/rdma/src/stage-0',
      'packages/rdma/src/stage-3',
    ],
    ['packages/rdma/src/stage-4.ts', 'packages/dma-sg/', 'packages/dma-buf/src/sgt'],
    ['packages/rdma/src/stage-5.ts', 'packages/dma-sg/', 'packages/dma-buf/src/sgt'],
    [
      'packages/dma-buf/src/stage-5.ts',
      'packages/dma-sg/',
      'packages/dma-buf/src/sgt',
      'packages/dma-buf/src/mapping-type/phys-list-import',
    ],
    ...['packages/iommufd/src/index.ts', 'packages/roadmap/src/stage-8.ts'].map((start) => [
      start,
      'packages/dma-sg/',
      'packages/dma-buf/src/sgt',
    ]),
  ]);
});
