// Words that promise or hide work: open ends, skipped tests, silenced tools, escapes from the type system.
// Source followed: the house style; git knows who wrote a line and when, so machine paths do not belong in it either.
// Simplified: a plain text search; the words are put together here so that this file does not find itself.

import type { SourceTree, StyleFinding } from './source-tree.ts';

const join = (...parts: string[]): string => parts.join('');

const bannedWords: readonly (readonly [RegExp, string])[] = [
  [new RegExp(join('\\b(?:TO', 'DO|FIX', 'ME|XX', 'X)\\b')), 'an open end'],
  [new RegExp(join('not ', 'implemented'), 'i'), 'a stub'],
  [
    new RegExp(join('[.](?:sk', 'ip|on', 'ly|to', 'do)\\(')),
    'a test that does not run or keeps others from running',
  ],
  [new RegExp(join('@ts-', '(?:ignore|nocheck)')), 'a silenced compiler'],
  [new RegExp(join('(?:eslint|oxlint)-', 'disable|biome-', 'ignore')), 'a silenced linter'],
  [new RegExp(join('\\bas a', 'ny\\b')), 'an escape from the type system'],
  [new RegExp(join('(?:^|[^A-Za-z0-9_.])/(?:wo', 'rk|ro', 'ot|ho', 'me)/')), 'a path of one machine'],
];

/** Finds lines with a banned word. */
export function findBannedText({ sources }: SourceTree): StyleFinding[] {
  return sources.flatMap(({ path, file }) =>
    file.text
      .split('\n')
      .flatMap((text, index) =>
        bannedWords
          .filter(([pattern]) => pattern.test(text))
          .map(([, meaning]) => ({ path, line: index + 1, message: `${meaning}: ${text.trim()}` })),
      ),
  );
}
