// Rows that are short scripts: each line is a call and, where the call answers, ` = ` and the answer. Walking a row gives
// the same lines with the answers that were really given, so that a difference shows the line and its neighbours.
// Simplified: words are separated by one blank; errnos are spelled as `-ENAME`.

import { Errno } from '@sgfree/mm';

/** A scripted case. Keys stay when rows are added. */
export interface ScriptRow {
  readonly key: string;
  readonly steps: readonly string[];
}

/** What a line's first word does with the others; undefined when there is nothing to answer. */
export type Step = (words: readonly string[]) => unknown;
/** Steps by their first word. */
export type Steps = Readonly<Record<string, Step>>;

const errnoNames = new Map(Object.entries(Errno).map(([name, value]) => [value as number, name]));

/** A number as it stands in a row. */
export function spellNumber(value: number): string {
  const name = value < 0 ? errnoNames.get(-value) : undefined;
  return name === undefined ? String(value) : `-${name}`;
}

/** The lines of `row` with what the steps really answered. */
export function transcript(row: ScriptRow, steps: Steps, spell: (value: unknown) => string): string[] {
  return row.steps.map((line) => {
    const call = line.split(' = ')[0] ?? '';
    const [verb = '', ...words] = call.split(' ');
    const step = steps[verb];
    if (step === undefined) throw new Error(`no step ${verb}`);
    const answer = step(words);
    return answer === undefined ? call : `${call} = ${spell(answer)}`;
  });
}
