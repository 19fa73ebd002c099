// Every note of `docs/migration`: its code compiles, runs at the stages that it names, moves real bytes, and comes to the same before and after.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type MigrationNote, NOTE_HEADINGS, parseMigrationNote } from './migration-note.ts';
import { type NotesRun, runNotes, type TransferResult } from './run-notes.ts';
import { importProblems } from './stage-imports.ts';

const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const packages = join(workspace, 'packages');
const folder = join(workspace, 'docs/migration');
const files = readdirSync(folder).filter((file) => file !== 'README.md');
const notes = files.map((file) => parseMigrationNote(file, readFileSync(join(folder, file), 'utf8')));
const titled = notes.map((note) => [`${note.from} to ${note.to}`, note] as const);

test('there is a note for each step of the road', () => {
  expect(files.sort()).toEqual(Array.from({ length: 8 }, (_, stage) => `${stage}-to-${stage + 1}.md`));
});

describe.each(titled)('the note of step %s', (_, { from, to, blocks, headings, markdown }) => {
  test('has its parts, and imports at each side what a driver of that stage would', () => {
    expect(headings).toEqual(NOTE_HEADINGS);
    expect(blocks.before.length * blocks.after.length).toBeGreaterThan(0);
    // No code stands in a note that is not run.
    expect(markdown.match(/^```\w/gm)).toEqual(['```t', '```t', '```t']);
    expect(markdown).toContain(`# From stage ${from} to stage ${to}: `);
    expect(markdown.split('## For reviewers')[1]).toMatch(/^- \[ \] /m);
    expect(importProblems(packages, blocks.before, from)).toEqual([]);
    expect(importProblems(packages, blocks.after, to)).toEqual([]);
    expect(blocks.after).toContain(`/stage-${to}';`);
    expect(blocks.before).not.toContain(`/stage-${to}';`);
  });
});

describe('the code of the notes', () => {
  let run: NotesRun;
  beforeAll(() => {
    run = runNotes(notes);
  }, 300_000);

  test('compiles', () => {
    expect(run.compiler).toBe('');
  });

  test.each(titled)(
    'step %s: what was sent arrived on both sides, by the same ways',
    (_, { from, to, markdown }) => {
      const [before, after] = ['before', 'after'].map((side) => resultOf(run, `${from}-to-${to}.${side}`));
      expect(movedBytes(before)).toBe('moved');
      const { cost: costBefore = {}, ...sameBefore } = before as TransferResult;
      const { cost: costAfter = {}, ...sameAfter } = after as TransferResult;
      expect(sameAfter).toEqual(sameBefore);
      expect(Object.keys(costAfter)).toEqual(Object.keys(costBefore));
      for (const [name, cost] of Object.entries(costBefore)) {
        expect(markdown).toContain(`\n| ${name} | ${cost} | ${costAfter[name]} |\n`);
      }
    },
  );
});

function resultOf({ results }: NotesRun, name: string): TransferResult {
  const result = results.get(name);
  if (result === undefined || 'error' in result) throw new Error(`${name}: ${result?.error}`);
  return result;
}

/** Whether real bytes arrived: enough of them, different ones, and those that were sent. */
function movedBytes(result: TransferResult | undefined): string {
  if (result === undefined || result.arrived !== result.sent) return 'other bytes arrived than were sent';
  const bytes = Buffer.from(result.sent, 'hex');
  return bytes.length >= 4096 && new Set(bytes).size > 200 ? 'moved' : 'nothing worth comparing was sent';
}

describe('a note that is wrong', () => {
  const text = (before: string, after: string): MigrationNote =>
    parseMigrationNote(
      '0-to-1.md',
      `\`\`\`ts machine\nconst sent = Uint8Array.of(1);\n\`\`\`\n\`\`\`ts before\n${before}\n\`\`\`\n\`\`\`ts after\n${after}\n\`\`\`\n`,
    );

  test('is told: code that does not compile, code that throws, bytes that do not arrive', () => {
    const good = 'export const transfer = () => ({ sent, arrived: sent });';
    const thrown = "export const transfer = (): unknown => { throw new Error('broken'); };";
    const { compiler, results } = runNotes([text(good, thrown)]);
    expect(compiler).toBe('');
    expect(results.get('0-to-1.before')).toEqual({ sent: '01', arrived: '01' });
    expect(results.get('0-to-1.after')).toMatchObject({ error: expect.stringContaining('broken') });
    expect(movedBytes({ sent: '01', arrived: '02' })).not.toBe('moved');
    expect(movedBytes({ sent: '01', arrived: '01' })).not.toBe('moved');
    const removed =
      "import { dmaBufAttach } from '@sgfree/dma-buf/stage-8';\nexport const transfer = () => dmaBufAttach;";
    expect(runNotes([text(good, removed)]).compiler).toContain("has no exported member named 'dmaBufAttach'");
  });

  test('is told when it imports another stage, or `.` of a package with stages', () => {
    const code = (entry: string): string => `import { x } from '@sgfree/dma-buf${entry}';`;
    expect(importProblems(packages, code('/stage-5'), 5)).toEqual([]);
    expect(importProblems(packages, code('/stage-6'), 7)).toEqual([]);
    expect(importProblems(packages, code('/sgt'), 3)).toEqual([]);
    for (const [entry, stage] of [
      ['/stage-5', 6],
      ['/stage-8', 7],
      ['', 8],
    ] as const)
      expect(importProblems(packages, code(entry), stage)).toHaveLength(1);
  });
});
