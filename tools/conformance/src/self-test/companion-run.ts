// CompanionRun: the same proof for the files beside a record file that a suite compares with the model, such as a
// dump of the page tables at the end. One line of text is altered, the whole file is replayed, and some record or the
// end of the file must differ. Traces, which are compared line by line, have a proof of their own.
// Simplified: a companion is altered in its last and its middle line only; what is read but not compared is unknown
// here, so a suite that merely looks at a companion is reported.

import type { FileContext } from '../suite.ts';
import { traceNameOf } from '../suites/recorded-trace.ts';
import { moveHex } from './alteration.ts';
import type { TriedAlteration } from './alteration-run.ts';
import { tryComparedTrace } from './compared-trace-run.ts';
import type { SelfTestFile } from './self-test-file.ts';
import { type TriedSlots, tryTrace } from './trace-run.ts';

/** The word of a line moved by one where it is a number; the last such word, or the first. */
function lineMoved(line: string, which: 'first' | 'last'): string {
  const words = [...line.matchAll(/\b(0x)?[0-9a-f]+\b/g)];
  const word = which === 'first' ? words[0] : words[words.length - 1];
  if (word === undefined) return `${line}~`;
  return line.slice(0, word.index) + moveHex(word[0], 1n) + line.slice(word.index + word[0].length);
}

function alteredTexts(text: string): { name: string; text: string }[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const last = lines.length - 1;
  const middle = Math.floor(last / 2);
  const replaced = (index: number, ...by: string[]): string =>
    `${[...lines.slice(0, index), ...by, ...lines.slice(index + 1)].join('\n')}\n`;
  const line = (index: number): string => lines[index] ?? '';
  return [
    { name: 'last word of the last line moved', text: replaced(last, lineMoved(line(last), 'last')) },
    { name: 'first word of the last line moved', text: replaced(last, lineMoved(line(last), 'first')) },
    { name: 'last word of the middle line moved', text: replaced(middle, lineMoved(line(middle), 'last')) },
    { name: 'last line dropped', text: replaced(last) },
    { name: 'last line repeated', text: replaced(last, line(last), line(last)) },
  ];
}

function noticed(file: SelfTestFile, context: FileContext): boolean {
  const replayer = file.open(context);
  return file.records.some((record, index) => file.step(replayer, record, index).length > 0);
}

/** Alters each companion that the unaltered replay of a file read; `slots` says what was tried in traces of other files. */
export function tryCompanions(file: SelfTestFile, slots: TriedSlots): TriedAlteration[] {
  const read = new Map(file.companions);
  const trace = traceNameOf(file.context);
  const inTrace = [...tryTrace(file, read.delete(trace), slots), ...tryComparedTrace(file, read, slots)];
  const inTexts = [...read].flatMap(([name, recorded]) =>
    alteredTexts(recorded).map((altered) => ({
      suite: file.suite.name,
      kind: 'companion',
      path: name,
      shape: 'text',
      alteration: altered.name,
      file: file.name,
      line: 0,
      recorded: `${recorded.length} characters`,
      altered: altered.name,
      verdict: noticed(file, {
        ...file.context,
        readSibling: (other) => (other === name ? altered.text : file.context.readSibling(other)),
      })
        ? ('noticed' as const)
        : ('unnoticed' as const),
    })),
  );
  return [...inTexts, ...inTrace];
}
