// The pages below `docs/api/` against what the committed API reports say now.
// `update` writes them, `check` only compares: CI never writes.
// Simplified: a page is compared as text; a step page without a step is stale and belongs deleted.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerPage } from './ledger-page.ts';
import { notesFolder, readNotes } from './migration-notes.ts';
import { readSurfaces } from './package-surfaces.ts';
import { noteProblems, roadSteps } from './road-step.ts';
import { stepPage } from './step-page.ts';

/** The verdict on one page, or on the notes. */
export interface PageVerdict {
  readonly page: string;
  readonly problems: readonly string[];
}

/** The pages by their path relative to the workspace. */
export function makePages(folder: string): ReadonlyMap<string, string> {
  const surfaces = readSurfaces(folder);
  const notes = readNotes(folder);
  return new Map([
    ['docs/api/ledger.md', ledgerPage(surfaces, notes)],
    ...roadSteps(surfaces, notes).map((step): [string, string] => [
      `docs/api/stage-${step.from}-to-${step.to}.md`,
      stepPage(step),
    ]),
  ]);
}

/** Compares every page of the workspace at `folder`, after writing it when `update` is set. */
export function judgePages(folder: string, update: boolean): PageVerdict[] {
  const pages = makePages(folder);
  mkdirSync(join(folder, 'docs/api'), { recursive: true });
  const stale = readdirSync(join(folder, 'docs/api'))
    .map((file) => `docs/api/${file}`)
    .filter((page) => /stage-\d+-to-\d+[.]md$/.test(page) && !pages.has(page));
  if (update) {
    for (const [page, text] of pages) writeFileSync(join(folder, page), text);
    for (const page of stale) rmSync(join(folder, page));
  }
  const notes = readNotes(folder);
  return [
    ...[...pages].map(([page, text]) => ({ page, problems: pageProblems(join(folder, page), text) })),
    ...(update ? [] : stale.map((page) => ({ page, problems: ['the road has no such step'] }))),
    { page: notesFolder, problems: noteProblems(roadSteps(readSurfaces(folder), notes), notes) },
  ];
}

function pageProblems(path: string, text: string): string[] {
  if (!existsSync(path)) return ['the page is not committed'];
  const committed = readFileSync(path, 'utf8');
  if (committed === text) return [];
  const [old, made] = [committed.split('\n'), text.split('\n')];
  const line = old.findIndex((was, index) => was !== made[index]);
  const at = line === -1 ? old.length : line;
  return [
    `line ${at + 1}: committed ${old[at] ?? 'nothing'}`,
    `line ${at + 1}: made now ${made[at] ?? 'nothing'}`,
  ];
}
