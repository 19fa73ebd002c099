// Compiles and runs the modules of all notes in a folder of its own, from which the packages resolve by name and the machines of their
// tests by the path that stands in the note.
// Simplified: one compiler run and one process for all notes; a module that throws is told from one that returns.

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationNote } from './migration-note.ts';

const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const tools = join(workspace, 'tools');
const tsx = join(tools, 'readme-examples/node_modules/.bin/tsx');
const MOST_OUTPUT: number = 64 * 2 ** 20;
const tsc = join(tools, 'run-tests/node_modules/.bin/tsc');

/** What `transfer` of a module returned. */
export interface TransferResult {
  /** Bytes that were sent and that arrived, in hex. */
  readonly sent: string;
  readonly arrived: string;
  /** What differs on purpose between before and after; each stands in a table of the note. */
  readonly cost?: Readonly<Record<string, number>>;
}

/** What became of the notes. */
export interface NotesRun {
  /** What the compiler said; nothing when all is well. */
  readonly compiler: string;
  /** By module, `0-to-1.before`: what it returned, or why it did not. */
  readonly results: ReadonlyMap<string, TransferResult | { readonly error: string }>;
}

const compilerOptions = {
  noEmit: true,
  composite: false,
  declaration: false,
  declarationMap: false,
  sourceMap: false,
  isolatedDeclarations: false,
  // The machine is written for both sides.
  noUnusedLocals: false,
  customConditions: ['@sgfree/source'],
  types: ['node'],
  typeRoots: [join(tools, 'readme-examples/node_modules/@types')],
};

/** Runs them all. */
export function runNotes(notes: readonly MigrationNote[]): NotesRun {
  const folder = mkdtempSync(join(tmpdir(), 'sgfree-notes-'));
  try {
    const names = layOut(folder, notes);
    const compiled = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
    return { compiler: `${compiled.stdout}${compiled.stderr}`, results: run(folder, names) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the modules; their names. */
function layOut(folder: string, notes: readonly MigrationNote[]): string[] {
  mkdirSync(join(folder, 'node_modules/@sgfree'), { recursive: true });
  mkdirSync(join(folder, 'docs/migration'), { recursive: true });
  const packages = join(workspace, 'packages');
  const there = relative(realpathSync(join(folder, 'docs/migration')), realpathSync(packages));
  for (const name of readdirSync(packages)) {
    symlinkSync(join(packages, name), join(folder, 'node_modules/@sgfree', name));
  }
  const config = { extends: join(workspace, 'tsconfig.base.json'), compilerOptions, include: ['docs'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  return notes.flatMap(({ from, to, modules }) =>
    (['before', 'after'] as const).map((side) => {
      const name = `${from}-to-${to}.${side}`;
      // The path that stands in the note leads from here into the workspace, and each module has one path only.
      const code = modules[side].replaceAll(" from '../../packages/", ` from '${there}/`);
      writeFileSync(join(folder, 'docs/migration', `${name}.ts`), code);
      return name;
    }),
  );
}

function run(folder: string, names: readonly string[]): NotesRun['results'] {
  const main = join(folder, 'docs/migration/main.ts');
  writeFileSync(main, mainOf(names));
  const { stdout, stderr } = spawnSync(tsx, ['--conditions=@sgfree/source', main], {
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  const told = lines.map((line) => JSON.parse(line) as { name: string; result: TransferResult });
  return new Map(
    names.map((name) => [name, told.find((line) => line.name === name)?.result ?? { error: stderr }]),
  );
}

const mainOf = (names: readonly string[]): string => `
const plain = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
for (const name of ${JSON.stringify(names)}) {
  let result: unknown;
  try {
    const { transfer } = (await import(\`./\${name}.ts\`)) as { transfer(): unknown };
    result = transfer();
  } catch (error) {
    result = { error: String(error instanceof Error ? error.stack : error) };
  }
  process.stdout.write(\`\${JSON.stringify({ name, result }, plain)}\\n\`);
}
export {};
`;
