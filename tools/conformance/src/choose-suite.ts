// Which suite replays a file: decided by its first line alone, so that a file may have any name and lie anywhere.
// A header that nobody knows is an error, never a reason to leave the file out.
// Simplified: the first suite that accepts a header has it.

import { type NotModelled, notModelled } from './not-modelled.ts';
import { BrokenFile } from './record-file.ts';
import type { JsonRecord, Suite } from './suite.ts';

/** What is to be done with a file. */
export type SuiteChoice =
  | { readonly kind: 'replay'; readonly suite: Suite }
  | { readonly kind: 'skip'; readonly entry: NotModelled };

/** The suite of a file with this first line; throws {@link BrokenFile}. */
export function chooseSuite(suites: readonly Suite[], firstLine: JsonRecord): SuiteChoice {
  const entry = notModelled.find((candidate) => candidate.matches(firstLine));
  if (entry !== undefined) return { kind: 'skip', entry };
  const bare = suites.find((candidate) => candidate.headerless === true && candidate.accepts(firstLine));
  if (bare !== undefined) return { kind: 'replay', suite: bare };
  const word = firstLine['suite'] ?? firstLine['format'];
  if (typeof word !== 'string') {
    throw new BrokenFile('broken-header', 1, 'line 1 is no header: it names neither a suite nor a format');
  }
  const suite = suites.find((candidate) => candidate.headerless !== true && candidate.accepts(firstLine));
  if (suite !== undefined) return { kind: 'replay', suite };
  throw new BrokenFile('unknown-suite', 1, `nobody replays suite ${JSON.stringify(word)} with this header`);
}
