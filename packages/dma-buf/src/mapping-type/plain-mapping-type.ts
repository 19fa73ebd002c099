// A kind of mapping without a condition: every pair of offers goes together, and the exporter's operations are what counts.
// Source followed: the RFC's PAL type (finish_match).
// Simplified: none.

import type { DmaBufMappingType } from './mapping-match.ts';

/** A kind named `name`. @internal */
export const plainMappingType = (name: string): DmaBufMappingType => ({
  name,
  finishMatch: ({ attach }, exp) => {
    attach.mapType = { type: exp.type, expOps: exp.expOps };
  },
});
