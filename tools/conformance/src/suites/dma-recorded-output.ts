// RecordedOutput: compares what the model produced with what a record says, field by field, down to the leaves.
// Shared by the scatterlist, mapping and two-step suites.
// Simplified: values are JSON values; a missing field equals only undefined.

import type { Mismatch } from '../suite.ts';

/** Collects the fields of one record that disagree. */
export class RecordedOutput {
  readonly mismatches: Mismatch[] = [];

  check(field: string, expected: unknown, got: unknown): void {
    if (!sameJson(expected, got)) this.mismatches.push({ field, expected, got });
  }
}

function sameJson(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, at) => sameJson(item, right[at]));
  }
  return false;
}
