// One case of the fuzzer: which dump, and what was done to it; and how it is judged.
// Simplified: a case that takes longer than the limit fails, so that no damage can make a reader slow.

import { readTopologyText } from '@sgfree/topology';
import fc from 'fast-check';
import { readOrRefused, requireSound } from './dump-invariants.ts';
import { type Mutation, mutatedLines, mutationSteps } from './dump-mutation.ts';
import type { KnownDump } from './known-dumps.ts';

const LIMIT_MS = 5000;

/** Dumps to choose from. */
export type KnownDumps = readonly KnownDump[];

/** A damaged dump. */
export interface FuzzCase {
  readonly dump: number;
  readonly steps: readonly Mutation[];
  readonly ends: '\n' | '\r\n';
  /** Picks pairs of functions. */
  readonly pick: number;
}

/** Cases over these dumps. */
export const fuzzCases = (known: KnownDumps): fc.Arbitrary<FuzzCase> =>
  fc.record({
    dump: fc.nat(known.length - 1),
    steps: mutationSteps,
    ends: fc.constantFrom('\n' as const, '\r\n' as const),
    pick: fc.nat(1_000_000),
  });

/** The damaged text. */
export function caseText(known: KnownDumps, { dump, steps, ends }: FuzzCase): string {
  const others = known.map(({ lines }) => lines);
  return mutatedLines(known[dump]?.lines ?? [], steps, others).join(ends);
}

/** What is wrong with the reading of a text; undefined when nothing is. */
export function failureOf({ pick }: FuzzCase, text: string): string | undefined {
  const begin = performance.now();
  try {
    const dump = readOrRefused(() => readTopologyText(text));
    if (dump !== undefined) requireSound(dump, isListing(dump.formats) ? text : undefined, pick);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const took = performance.now() - begin;
  return took > LIMIT_MS ? `reading took ${Math.round(took)} ms` : undefined;
}

const isListing = (formats: readonly string[]): boolean => formats.length === 1 && formats[0] === 'lspci';
