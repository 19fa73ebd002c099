// Parts that lspci prints once per function, met twice below one first line: lines of two functions ran together.
// Source followed: the order in which lspci prints; a chunk that is missing from the middle of a paste takes the end of
// one function and the first line of another with it, and the rest of that other one then seems to belong to the former.
// Simplified: a seam at which nothing is repeated cannot be seen.

import type { FunctionDraft } from './function-draft.ts';
import type { MachineDraft } from './machine-draft.ts';

/** Notes a part of a block by its name or offset; when the block has it already, its words are not believed. */
export function noteRepeated(machine: MachineDraft, draft: FunctionDraft, part: string): void {
  if (!draft.parts.has(part)) {
    draft.parts.add(part);
    return;
  }
  if (draft.mixed) return;
  draft.mixed = true;
  machine.remark(
    'line-not-understood',
    draft.name,
    `a second ${part.length > 3 ? `"${part}:"` : `capability at 0x${part}`} below one first line: another first line is missing`,
    'what the text says of registers here is taken as unknown',
  );
}
