// Rows that are short scripts about one VFIO device: each line is what somebody does and, where it answers, ` = ` and the
// answer. Walking a row gives the same lines with the answers that were really given.
// Simplified: words are separated by one blank; errnos are spelled as `-ENAME`.

import { Errno } from '@sgfree/mm';
import type { VfioMachineOptions } from '../vfio-machine.ts';

/** How the machine of a row differs from a plain one. */
export interface TriggerMachine extends VfioMachineOptions {
  /** Hardware refuses writes to its configuration space from the step `config-fails` on. */
  readonly configCanFail?: true;
}

/** A scripted case. Keys stay when rows are added. */
export interface TriggerScript {
  readonly key: string;
  readonly machine?: TriggerMachine;
  readonly steps: readonly string[];
}

/** Steps by their first word; undefined when there is nothing to answer. */
export type TriggerSteps = Readonly<
  Record<string, (words: readonly string[]) => number | string | boolean | undefined>
>;

const errnoNames = new Map(Object.entries(Errno).map(([name, value]) => [value as number, name]));

function spell(answer: number | string | boolean): string {
  const name = typeof answer === 'number' && answer < 0 ? errnoNames.get(-answer) : undefined;
  return name === undefined ? String(answer) : `-${name}`;
}

/** The lines of `row` with what the steps really answered. */
export function transcript(row: TriggerScript, steps: TriggerSteps): string[] {
  return row.steps.map((line) => {
    const call = line.split(' = ')[0] ?? '';
    const [verb = '', ...words] = call.split(' ');
    const step = steps[verb];
    if (step === undefined) throw new Error(`no step ${verb}`);
    const answer = step(words);
    return answer === undefined ? call : `${call} = ${spell(answer)}`;
  });
}
