// ComparedTraceRun: the proof for a trace of which a suite says that all of it is compared but for some words. One word or
// line is altered, the whole file is replayed, and some record or the end of the file must differ. Each kind of word of
// each event is altered; one line of each event is dropped, one repeated, and two are swapped where order counts.
// Simplified: the first line of its kind in a file is altered, in one way; a kind is tried in two files of a variant.

import type { ComparedTrace } from '../suite.ts';
import type { TriedAlteration } from './alteration-run.ts';
import type { SelfTestFile } from './self-test-file.ts';
import type { TriedSlots } from './trace-run.ts';
import { traceWords, withWordChanged } from './trace-words.ts';

/** Lines of the altered trace in the place of one of the recorded. */
interface LineChange {
  readonly shape: string;
  readonly alteration: string;
  /** Index of the line. */
  readonly at: number;
  readonly by: readonly string[];
  /** Index of a second line that takes the first one's text. */
  readonly swappedWith?: number;
}

const EVENT = /\s\d+\.\d+: (\w+): (.*)$/;

function wordChanges(lines: readonly string[], { notCompared }: ComparedTrace): LineChange[] {
  const found = new Map<string, LineChange>();
  for (const [at, line] of lines.entries()) {
    for (const word of traceWords(line)) {
      const shape = word.slot;
      if (found.has(shape) || notCompared.includes(shape)) continue;
      found.set(shape, { shape, alteration: 'word changed', at, by: [withWordChanged(line, word)] });
    }
  }
  return [...found.values()];
}

function lineChanges(lines: readonly string[], { ordered, notCounted }: ComparedTrace): LineChange[] {
  const first = new Map<string, number>();
  const swapped = new Map<string, LineChange>();
  for (const [at, line] of lines.entries()) {
    const [, event = '', payload] = EVENT.exec(line) ?? [];
    if (payload === undefined || notCounted.includes(event)) continue;
    const before = first.get(event);
    if (before === undefined) first.set(event, at);
    else if (!swapped.has(event) && ordered.includes(event) && !lines[before]?.endsWith(payload)) {
      swapped.set(event, { shape: event, alteration: 'lines swapped', at, by: [], swappedWith: before });
    }
  }
  const dropped = [...first].map(([shape, at]) => ({ shape, alteration: 'line dropped', at, by: [] }));
  const repeated = [...first].map(([shape, at]) => {
    const line = lines[at] ?? '';
    return { shape, alteration: 'line repeated', at, by: [line, line] };
  });
  return [...dropped, ...repeated, ...swapped.values()];
}

function changed(lines: readonly string[], { at, by, swappedWith }: LineChange): string {
  const texts = [...lines];
  if (swappedWith === undefined) texts.splice(at, 1, ...by);
  else [texts[at], texts[swappedWith]] = [lines[swappedWith] ?? '', lines[at] ?? ''];
  return texts.join('\n');
}

function isNoticed(file: SelfTestFile, name: string, text: string): boolean {
  const { context } = file;
  const replayer = file.open({
    ...context,
    readSibling: (other) => (other === name ? text : context.readSibling(other)),
  });
  return file.records.some((record, index) => file.step(replayer, record, index).length > 0);
}

/** Alters the trace of a file and takes it out of `read`; nothing for a suite without such a trace. */
export function tryComparedTrace(
  file: SelfTestFile,
  read: Map<string, string>,
  slots: TriedSlots,
): TriedAlteration[] {
  const { comparedTrace, name: suite } = file.suite;
  const name = comparedTrace?.nameOf(file.context) ?? '';
  const lines = read.get(name)?.split('\n');
  if (comparedTrace === undefined || lines === undefined) return [];
  read.delete(name);
  const changes = [...wordChanges(lines, comparedTrace), ...lineChanges(lines, comparedTrace)].filter(
    ({ shape, alteration }) => slots.take(`${suite}|${file.variant()}|${shape}|${alteration}`),
  );
  return changes.map((change) => ({
    suite,
    kind: 'trace',
    path: name,
    shape: change.shape,
    alteration: change.alteration,
    file: file.name,
    line: change.at + 1,
    recorded: lines[change.at],
    altered: change.by.join(' / '),
    verdict: isNoticed(file, name, changed(lines, change)) ? 'noticed' : 'unnoticed',
  }));
}
