// The words of a trace line that can be altered, each with a name that is the same in every line of its event: the key
// in front of `=`, the place among the words otherwise, and of a list in braces the first, second and last element.
// Source followed: the print formats of the kernel's trace events.
// Simplified: words in the middle of a list count as one.

import { moveHex } from './alteration.ts';

/** A word of a line. */
export interface TraceWord {
  /** What it is called in all lines of the event. */
  readonly slot: string;
  readonly word: string;
  /** Where it begins in the line. */
  readonly index: number;
}

const EVENT = /\s\d+\.\d+: (\w+): /;
const WORD = /[\w.:]+/g;
const HEX = /^(?:0x)?[0-9a-f]+$/;
const LIST_START = /(\w+)=\{([^}]*)$/;

/** The event of a line, and where its payload begins; null for a line without an event. */
function payloadOf(line: string): { readonly event: string; readonly start: number } | null {
  const found = EVENT.exec(line);
  return found === null ? null : { event: found[1] ?? '', start: found.index + found[0].length };
}

/** Name of the element of a list that follows on `before`. */
function listSlot(before: string, after: string): string | null {
  const [, list, inside] = LIST_START.exec(before) ?? [];
  if (list === undefined || inside === undefined) return null;
  if (inside === '') return `${list}[first]`;
  if (after.startsWith('}')) return `${list}[last]`;
  return `${list}[${inside.indexOf(',') === inside.length - 1 ? 'second' : 'between'}]`;
}

/** Every word of a line behind its event's name; none for a line without an event. */
export function traceWords(line: string): TraceWord[] {
  const payload = payloadOf(line);
  if (payload === null) return [];
  const words: TraceWord[] = [];
  let place = 0;
  for (const match of line.slice(payload.start).matchAll(WORD)) {
    const [word] = match;
    const index = payload.start + match.index;
    const after = line.slice(index + word.length);
    if (after.startsWith('=')) continue;
    const before = line.slice(payload.start, index);
    const key = /(\w+)=$/.exec(before)?.[1];
    place += 1;
    const name = listSlot(before, after) ?? key ?? `word ${place}`;
    words.push({ slot: `${payload.event} ${name}`, word, index });
  }
  return words;
}

/** The line with one word changed: a number by one, anything else by a letter. */
export function withWordChanged(line: string, { word, index }: TraceWord): string {
  const changed = HEX.test(word) ? moveHex(word, 1n) : `${word}x`;
  return line.slice(0, index) + changed + line.slice(index + word.length);
}
