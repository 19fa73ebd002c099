// How a value of the user's input is shown in a message of one line: short, printable, and never deeper than it is wide.
// Source followed: none; a message must not fail where the input is at its worst (nesting of any depth, huge numbers).
// Simplified: lists and objects are shown two levels deep.

const MOST_CHARACTERS = 60;
const MOST_DEPTH = 2;
const MOST_ELEMENTS = 4;
const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text fit for one line of a terminal: control characters shown as escapes, long text cut. */
export function printable(text: string, most: number = MOST_CHARACTERS): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(CONTROL, (character) => {
    const code = (character.codePointAt(0) as number).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`;
  });
}

/** A parsed JSON value as text; `undefined` is shown as nothing. */
export function shownValue(value: unknown): string {
  return printable(outline(value, 0));
}

function outline(value: unknown, depth: number): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `"${value.slice(0, MOST_CHARACTERS)}"`;
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'a number beyond all bounds';
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${inner(value, (one) => outline(one, depth + 1), depth)}]`;
  const entries = Object.entries(value as object);
  return `{${inner(entries, ([key, one]) => `"${key}":${outline(one, depth + 1)}`, depth)}}`;
}

function inner<T>(elements: readonly T[], show: (element: T) => string, depth: number): string {
  if (elements.length === 0) return '';
  if (depth === MOST_DEPTH) return '…';
  const shown = elements.slice(0, MOST_ELEMENTS).map(show);
  if (elements.length > MOST_ELEMENTS) shown.push('…');
  return shown.join(',');
}
