// TraceRun: the proof of the self-test for a trace that a suite compares with the model line by line. Every kind of word
// of every event is altered somewhere, many lines in one replay: each must be named by a mismatch of its own, in which
// the model has what was recorded. A word that decides whether a line is the file's at all has a replay to itself.
// Lines that are dropped, repeated or swapped must be noticed too.
// Simplified: a word is altered in one way only; what was tried twice for a suite and variant is not tried again.

import type { FoundMismatch } from '../replay-file.ts';
import { type RecordedTraceLine, recordedTrace, traceNameOf } from '../suites/recorded-trace.ts';
import type { TriedAlteration } from './alteration-run.ts';
import type { SelfTestFile } from './self-test-file.ts';
import { type TraceWord, traceWords, withWordChanged } from './trace-words.ts';

const TRIES_PER_SLOT = 2;

/** One altered line. */
interface LineAlteration {
  readonly line: RecordedTraceLine;
  readonly word: TraceWord;
  readonly text: string;
}

/** How often each slot was tried, over all files. */
export class TriedSlots {
  readonly #counts = new Map<string, number>();

  /** True while one of this name is to be tried again; counts it. */
  take(name: string): boolean {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count < TRIES_PER_SLOT;
  }
}

class TraceRun {
  readonly tried: TriedAlteration[] = [];
  readonly #file: SelfTestFile;
  readonly #name: string;
  readonly #texts: readonly string[];
  readonly #own: readonly RecordedTraceLine[];

  constructor(file: SelfTestFile, name: string, trace: string) {
    this.#file = file;
    this.#name = name;
    this.#texts = trace.split('\n');
    this.#own = recordedTrace(file.header, file.context, trace).lines;
  }

  /** Alters words, as many lines at once as there are lines to choose from. */
  tryWords(slots: TriedSlots): void {
    const planned = this.#plan(slots);
    const alone = planned.filter((one) => !this.#isStillOwn(one));
    for (const one of alone) this.#note(one, this.#mismatches([one]).length > 0);
    const together = planned.filter((one) => !alone.includes(one));
    for (let left = together; left.length > 0; ) {
      const used = new Set<number>();
      const round = left.filter(
        ({ line }) => !used.has(line.number) && used.add(line.number).has(line.number),
      );
      const found = this.#mismatches(round);
      for (const one of round)
        this.#note(
          one,
          found.some((mismatch) => isOf(mismatch, one.line)),
        );
      left = left.filter((one) => !round.includes(one));
    }
  }

  /** Drops, repeats and swaps lines. */
  tryOrder(): void {
    const [first, last] = [this.#own[0], this.#own.at(-1)];
    const middle = this.#own[Math.floor(this.#own.length / 2)];
    const other = this.#own.slice(Math.floor(this.#own.length / 2)).find(({ text }) => text !== middle?.text);
    if (first === undefined || last === undefined || middle === undefined) return;
    this.#tryLines('first line dropped', first, []);
    this.#tryLines('last line repeated', last, [this.#textOf(last), this.#textOf(last)]);
    this.#tryLines('last line dropped', last, []);
    if (other === undefined) return;
    const texts = [...this.#texts];
    [texts[middle.number - 1], texts[other.number - 1]] = [this.#textOf(other), this.#textOf(middle)];
    this.#noteLine('lines swapped', middle, this.#replay(texts).length > 0);
  }

  #plan(slots: TriedSlots): LineAlteration[] {
    const variant = `${this.#file.suite.name}|${this.#file.variant()}`;
    const here = new Set<string>();
    const used = new Set<number>();
    const planned: LineAlteration[] = [];
    // A line that has no alteration yet is preferred, so that few replays are needed.
    for (const fresh of [true, false]) {
      for (const line of this.#own) {
        for (const word of traceWords(this.#textOf(line))) {
          const slot = `${word.slot}${line.wholeFlush ? ' of all' : ''}`;
          if (here.has(slot) || (fresh && used.has(line.number))) continue;
          here.add(slot);
          used.add(line.number);
          if (!slots.take(`${variant}|${slot}`)) continue;
          planned.push({ line, word, text: withWordChanged(this.#textOf(line), word) });
        }
      }
    }
    return planned;
  }

  /** False for an alteration that makes a line another device's or domain's, or moves it. */
  #isStillOwn(one: LineAlteration): boolean {
    const { lines } = recordedTrace(this.#file.header, this.#file.context, this.#altered([one]).join('\n'));
    return (
      lines.length === this.#own.length && lines.every(({ number }, at) => number === this.#own[at]?.number)
    );
  }

  #textOf(line: RecordedTraceLine): string {
    return this.#texts[line.number - 1] ?? '';
  }

  #altered(alterations: readonly LineAlteration[]): string[] {
    const texts = [...this.#texts];
    for (const { line, text } of alterations) texts[line.number - 1] = text;
    return texts;
  }

  #mismatches(alterations: readonly LineAlteration[]): FoundMismatch[] {
    return this.#replay(this.#altered(alterations));
  }

  #replay(texts: readonly string[]): FoundMismatch[] {
    const { context } = this.#file;
    const altered = texts.join('\n');
    const replayer = this.#file.open({
      ...context,
      readSibling: (name) => (name === this.#name ? altered : context.readSibling(name)),
    });
    return this.#file.records.flatMap((record, index) => this.#file.step(replayer, record, index));
  }

  #tryLines(name: string, line: RecordedTraceLine, by: readonly string[]): void {
    const texts = [...this.#texts];
    texts.splice(line.number - 1, 1, ...by);
    this.#noteLine(name, line, this.#replay(texts).length > 0);
  }

  #note({ line, word, text }: LineAlteration, isNoticed: boolean): void {
    this.#add(word.slot, 'word changed', line, text, isNoticed);
  }

  #noteLine(name: string, line: RecordedTraceLine, isNoticed: boolean): void {
    this.#add(line.event, name, line, name, isNoticed);
  }

  #add(
    shape: string,
    alteration: string,
    line: RecordedTraceLine,
    altered: string,
    isNoticed: boolean,
  ): void {
    this.tried.push({
      suite: this.#file.suite.name,
      kind: 'trace',
      path: this.#name,
      shape,
      alteration,
      file: this.#file.name,
      line: line.number,
      recorded: line.text,
      altered,
      verdict: isNoticed ? 'noticed' : 'unnoticed',
    });
  }
}

/** True when a mismatch is about a line, and the model has what was recorded there. */
const isOf = ({ field, got }: FoundMismatch, line: RecordedTraceLine): boolean =>
  field === `trace line ${line.number}` && got === line.text;

/** Alters the trace beside a file; nothing when there is none or the suite does not compare it. */
export function tryTrace(file: SelfTestFile, isRead: boolean, slots: TriedSlots): TriedAlteration[] {
  const name = traceNameOf(file.context);
  const trace = isRead ? file.context.readSibling(name) : null;
  if (trace === null) return [];
  const run = new TraceRun(file, name, trace);
  run.tryWords(slots);
  run.tryOrder();
  return run.tried;
}
