// Shrinks a failing text line by line: halves, quarters and so on are taken out as long as the same assertion fails.
// Source followed: delta debugging (Zeller), without its complement step.
// Simplified: "the same failure" means the same first words of its message.

import { caseText, type FuzzCase, failureOf, type KnownDumps } from './fuzz-case.ts';

const kindOf = (message: string): string => message.slice(0, 24);

/** What is left of the text, and how it fails; `judge` says what is wrong with a text. */
export function fewerLines(
  known: KnownDumps,
  found: FuzzCase,
  judge: (text: string) => string | undefined = (text) => failureOf(found, text),
): { lines: string[]; message: string } {
  let lines = caseText(known, found).split(found.ends);
  const message = judge(lines.join(found.ends)) ?? 'it does not fail again';
  for (let size = Math.ceil(lines.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < lines.length; ) {
      const tried = lines.toSpliced(at, size);
      const now = judge(tried.join(found.ends));
      if (now !== undefined && kindOf(now) === kindOf(message)) lines = tried;
      else at += size;
    }
  }
  return { lines, message };
}
