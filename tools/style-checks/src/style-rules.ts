// The checks of this tool in the order they are reported.
// Simplified: every rule reads the whole tree; each counts as one check.

import { findAddressArithmetic } from './address-arithmetic.ts';
import { findBannedText } from './banned-text.ts';
import { findLogicInEntries } from './entry-exports.ts';
import { findLongFiles, findMissingOpenings, findVagueNames } from './file-shape.ts';
import { findKernelTagMismatches } from './kernel-tag.ts';
import { findExceededMeasures } from './measures.ts';
import type { SourceTree, StyleFinding } from './source-tree.ts';

/** A named check. */
export interface StyleRule {
  readonly name: string;
  readonly find: (tree: SourceTree) => StyleFinding[];
}

/** Every rule. */
export const styleRules: readonly StyleRule[] = [
  { name: 'addresses are computed in one file', find: findAddressArithmetic },
  { name: '@kernel names its declaration', find: findKernelTagMismatches },
  { name: 'entries hold named re-exports', find: findLogicInEntries },
  { name: 'files open by saying what they stand for', find: findMissingOpenings },
  { name: 'files are named after a concept', find: findVagueNames },
  { name: 'files are short', find: findLongFiles },
  { name: 'files and functions are short as a crowd', find: findExceededMeasures },
  { name: 'nothing is left open or silenced', find: findBannedText },
];
