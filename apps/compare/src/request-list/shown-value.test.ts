// Whatever stands in a file, the message about it is one short printable line.
import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { printable, shownValue } from './shown-value.ts';

// Control and format characters, surrogates, line and paragraph separators.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

test.prop([fc.jsonValue({ maxDepth: 6 })])('a value is short and printable', (value) => {
  const shown = shownValue(value);
  expect(shown).not.toMatch(unprintable);
  expect(shown.length).toBeLessThanOrEqual(61 * 8);
});

test.prop([fc.string({ unit: 'binary', maxLength: 200 })])('so is any text', (text) => {
  expect(printable(text)).not.toMatch(unprintable);
});

it.each([
  [undefined, 'nothing'],
  [null, 'null'],
  [true, 'true'],
  [-1.5, '-1.5'],
  [Number.POSITIVE_INFINITY, 'a number beyond all bounds'],
  ['a\u001bb', '"a\\x1bb"'],
  [[1, [2, [3, [4]]]], '[1,[2,[…]]]'],
  [{ a: { b: { c: {} } } }, '{"a":{"b":{…}}}'],
  [[1, 2, 3, 4, 5], '[1,2,3,4,…]'],
  [[], '[]'],
] as const)('%j is shown as %s', (value, text) => {
  expect(shownValue(value)).toBe(text);
});

it('a nesting without end is no problem', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 1_000_000; depth += 1) deep = [deep];
  expect(shownValue(deep)).toBe('[[[…]]]');
});
