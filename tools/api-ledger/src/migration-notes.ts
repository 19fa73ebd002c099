// The migration notes that people write: `docs/api/notes/stage-<a>-to-<b>.md`.
// A file opens with an introduction; each section `## package: symbol` is the note of one symbol and may begin
// with a line `Replacement: what to use instead`.
// Simplified: the first sentence of a note is what the ledger prints; the diff page prints all of it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The note of one symbol. */
export interface MigrationNote {
  readonly packageName: string;
  readonly symbol: string;
  readonly replacement: string;
  readonly text: string;
}

/** The notes of one step of the road. */
export interface StepNotes {
  readonly from: number;
  readonly to: number;
  readonly introduction: string;
  readonly notes: readonly MigrationNote[];
}

/** Where the notes lie, relative to the workspace. */
export const notesFolder = 'docs/api/notes';

/** Reads all notes below the workspace at `folder`. */
export function readNotes(folder: string): StepNotes[] {
  const path = join(folder, notesFolder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .flatMap((file) => {
      const step = /^stage-(\d+)-to-(\d+)[.]md$/.exec(file);
      if (step === null) return [];
      return [parseNotes(Number(step[1]), Number(step[2]), readFileSync(join(path, file), 'utf8'))];
    });
}

/** Reads the text of one notes file. */
export function parseNotes(from: number, to: number, markdown: string): StepNotes {
  const [introduction = '', ...sections] = markdown.split(/^## /m);
  const notes = sections.map((section): MigrationNote => {
    const [heading = '', ...body] = section.split('\n');
    const [packageName = '', symbol = ''] = heading.split(':').map((word) => word.trim());
    const text = body.join('\n').trim();
    const replacement = /^Replacement: (.*)$/m.exec(text)?.[1] ?? '';
    return { packageName, symbol, replacement, text: text.replace(/^Replacement: .*\n*/m, '').trim() };
  });
  return { from, to, introduction: introduction.replace(/^# .*\n+/, '').trim(), notes };
}

/** The first sentence of a note, on one line. */
export function firstSentence(text: string): string {
  const line = text
    .replace(/```[\s\S]*$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return /^.*?[.](?=\s|$)/.exec(line)?.[0] ?? line;
}
