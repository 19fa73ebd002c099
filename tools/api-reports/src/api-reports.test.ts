import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { judgeReports } from './api-reports.ts';
import { diffLines } from './line-diff.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const thing = `
/**
 * A thing.
 * @public
 */
export interface Thing { readonly id: number; }
/**
 * Makes a thing.
 * @kernel make_thing
 * @public
 */
export declare function makeThing(id: number): Thing;
`;

const house: Readonly<Record<string, string>> = {
  'packages/low/dist/thing.d.ts': thing,
  'packages/low/dist/index.d.ts': "export { type Thing, makeThing } from './thing.ts';\n",
  'packages/low/dist/stage-1.d.ts': "export type { Thing } from './thing.ts';\n",
  'packages/high/dist/index.d.ts':
    "import type { Thing } from '@sgfree/low';\n/**\n * Shows it.\n * @public\n */\nexport declare function show(thing: Thing): string;\n",
};

const manifest = (name: string, ...entries: string[]): string =>
  JSON.stringify({
    name: `@sgfree/${name}`,
    version: '0.0.0',
    type: 'module',
    exports: {
      ...Object.fromEntries(entries.map((entry) => [entry, { types: `./dist/${fileOf(entry)}.d.ts` }])),
      './package.json': './package.json',
    },
  });

const fileOf = (entry: string): string => (entry === '.' ? 'index' : entry.replace('./', ''));

function place(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function workspace(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-reports-'));
  folders.push(folder);
  place(folder, {
    ...house,
    'packages/low/package.json': manifest('low', '.', './stage-1'),
    'packages/high/package.json': manifest('high', '.'),
  });
  cpSync(fileURLToPath(new URL('../../../tsdoc.json', import.meta.url)), join(folder, 'tsdoc.json'));
  mkdirSync(join(folder, 'node_modules/@microsoft'), { recursive: true });
  const extractor = fileURLToPath(new URL('../node_modules/@microsoft/api-extractor', import.meta.url));
  symlinkSync(extractor, join(folder, 'node_modules/@microsoft/api-extractor'));
  mkdirSync(join(folder, 'packages/high/node_modules/@sgfree'), { recursive: true });
  symlinkSync('../../../low', join(folder, 'packages/high/node_modules/@sgfree/low'));
  return folder;
}

function problems(folder: string): string {
  return judgeReports(folder, false)
    .flatMap(({ report, problems }) => problems.map((problem) => `${report}: ${problem}`))
    .join('\n');
}

test('reports are written by update only, one for each entry, and then compare equal', () => {
  const folder = workspace();
  expect(problems(folder)).toContain('packages/low/api/stage-1.api.md: the report is not committed');
  judgeReports(folder, true);
  expect(problems(folder)).toBe('');
  expect(judgeReports(folder, false).map(({ report }) => report)).toEqual([
    'packages/high/api/index.api.md',
    'packages/low/api/index.api.md',
    'packages/low/api/stage-1.api.md',
  ]);
  const report = readFileSync(join(folder, 'packages/low/api/index.api.md'), 'utf8');
  expect(report).toContain('// @public\nexport function makeThing(id: number): Thing;');
  expect(readFileSync(join(folder, 'packages/high/api/index.api.md'), 'utf8')).toContain(
    "import type { Thing } from '@sgfree/low';",
  );
});

test('a signature changed by hand fails with the difference', () => {
  const folder = workspace();
  judgeReports(folder, true);
  place(folder, {
    'packages/low/dist/thing.d.ts': thing.replace('makeThing(id: number)', 'makeThing(id: string)'),
  });
  expect(problems(folder)).toContain('- export function makeThing(id: number): Thing;');
  expect(problems(folder)).toContain('+ export function makeThing(id: string): Thing;');
  expect(problems(folder)).not.toContain('stage-1');
});

test('a report changed by hand fails', () => {
  const folder = workspace();
  judgeReports(folder, true);
  place(folder, { 'packages/low/api/stage-1.api.md': 'nothing\n' });
  expect(problems(folder)).toContain('packages/low/api/stage-1.api.md: - nothing');
});

test.each([
  [
    'a missing release tag',
    thing.replace(' * @public\n */\nexport interface', ' */\nexport interface'),
    'ae-missing-release-tag',
  ],
  ['a second release tag', thing.replace('@public', '@public @internal'), 'ae-extra-release-tag'],
  ['an unknown tag', thing.replace('@kernel make_thing', '@kernle make_thing'), 'tsdoc-undefined-tag'],
  ['a missing summary', thing.replace(' * A thing.\n', ''), 'no TSDoc summary: export interface Thing'],
  ['a broken link', thing.replace('A thing.', 'A {@link Nothing}.'), 'ae-unresolved-link'],
])('%s fails even when the report is updated', (_, text, expected) => {
  const folder = workspace();
  place(folder, { 'packages/low/dist/thing.d.ts': text });
  judgeReports(folder, true);
  expect(problems(folder)).toContain(expected);
});

test.each([
  ['of another package', 'A {@link @sgfree/other#Other} thing.', ''],
  ['of one declaration among two', 'A {@link (Kind:type)} thing.', ''],
  ['of one declaration among two, unqualified', 'A {@link Kind} thing.', 'ae-unresolved-link'],
])('a link %s', (_, summary, expected) => {
  const folder = workspace();
  const kind =
    '/**\n * Kinds.\n * @public\n */\nexport declare const Kind: { readonly a: 1 };\n' +
    '/**\n * One kind.\n * @public\n */\nexport type Kind = 1;\n';
  place(folder, {
    'packages/low/dist/thing.d.ts': kind + thing.replace('A thing.', summary),
    'packages/low/dist/index.d.ts': "export { Kind, type Thing, makeThing } from './thing.ts';\n",
    'packages/low/dist/stage-1.d.ts': "export { Kind, type Thing } from './thing.ts';\n",
  });
  judgeReports(folder, true);
  if (expected === '') expect(problems(folder)).toBe('');
  else expect(problems(folder)).toContain(expected);
});

test('a symbol that is used but not exported fails', () => {
  const folder = workspace();
  place(folder, { 'packages/low/dist/index.d.ts': "export { makeThing } from './thing.ts';\n" });
  judgeReports(folder, true);
  expect(problems(folder)).toContain('ae-forgotten-export');
});

test('a report without an entry and an entry that is not built fail', () => {
  const folder = workspace();
  judgeReports(folder, true);
  place(folder, { 'packages/low/api/stage-9.api.md': 'old\n' });
  rmSync(join(folder, 'packages/low/dist/stage-1.d.ts'));
  expect(problems(folder)).toContain('packages/low/api/stage-1.api.md: the package is not built');
  expect(problems(folder)).toContain('packages/low/api/stage-9.api.md: no entry has this report');
});

test('update deletes a report without an entry', () => {
  const folder = workspace();
  place(folder, { 'packages/low/api/stage-9.api.md': 'old\n' });
  judgeReports(folder, true);
  expect(problems(folder)).toBe('');
});

test.each([
  ['a\nb\nc', 'a\nb\nc', []],
  ['a\nb\nc', 'a\nx\nc', ['@ line 2', '- b', '+ x']],
  ['a\nc', 'a\nb\nc', ['@ line 2', '+ b']],
  ['a\nb\nc', 'a\nc', ['@ line 2', '- b']],
  ['1\na\n2\nb\n3', '1\n2\n3', ['@ line 2', '- a', '@ line 4', '- b']],
])('the difference of %j and %j', (before, after, expected) => {
  expect(diffLines(before, after)).toEqual(expected);
});
