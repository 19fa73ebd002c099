// Bytes of memory that a range list takes.
// Source followed: sizes of our own, as a 64-bit kernel would lay such a structure out: the two-step state 16, device 8, attributes 8,
// count and route 8; and 16 for each range of the buffer.
// Simplified: none.

const LIST_BYTES = 40;
const RANGE_BYTES = 16;

/** @param ranges - physical ranges of the buffer, for each of which the list keeps room. @internal */
export const rangeListBytes = (ranges: number): number => LIST_BYTES + RANGE_BYTES * ranges;
