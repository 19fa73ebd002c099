// What records write as numbers and the model writes as words: directions and attributes of a mapping.
// Field meanings: vectors/kernel/README.md, section 1 (dir 0 BIDIRECTIONAL, 1 TO_DEVICE, 2 FROM_DEVICE; attrs bits).
// Simplified: the three attributes that occur in records; any other bit is refused.

import type { DmaAttrs, DmaDataDirection } from '@sgfree/dma-core';
import { bits, MalformedValue, type Reader, within } from '../recorded-value.ts';

const directions: readonly DmaDataDirection[] = ['bidirectional', 'to-device', 'from-device'];
const directionNumber = within(0, directions.length - 1);

const attributes: readonly (readonly [number, keyof DmaAttrs])[] = [
  [32, 'skipCpuSync'],
  [1024, 'mmio'],
  [4096, 'requireCoherent'],
];

/** The direction a record writes as `dir`. */
export const direction: Reader<DmaDataDirection> = (value) =>
  directions[directionNumber(value)] as DmaDataDirection;

/** The attributes a record writes as `attrs`; a bit that no record is known to use is refused. */
export const attributeBits: Reader<DmaAttrs> = (value) => {
  let rest = bits(value);
  const attrs: { -readonly [K in keyof DmaAttrs]: DmaAttrs[K] } = {};
  for (const [bit, name] of attributes) {
    if ((rest & bit) === 0) continue;
    attrs[name] = true;
    rest -= bit;
  }
  if (rest !== 0) throw new MalformedValue('', value, 'known attribute bits');
  return attrs;
};
