// What records write as numbers and the model writes as words: directions and attributes of a mapping.
// Field meanings: vectors/kernel/README.md, section 1 (dir 0 BIDIRECTIONAL, 1 TO_DEVICE, 2 FROM_DEVICE; attrs bits).
// Simplified: the three attributes that occur in records; any other bit is refused.

import type { DmaAttrs, DmaDataDirection } from '@sgfree/dma-core';

const directions: readonly DmaDataDirection[] = ['bidirectional', 'to-device', 'from-device'];

const attributes: readonly (readonly [number, keyof DmaAttrs])[] = [
  [32, 'skipCpuSync'],
  [1024, 'mmio'],
  [4096, 'requireCoherent'],
];

/** The direction a record writes as `dir`; throws RangeError for a number that is none. */
export function recordedDirection(dir: unknown): DmaDataDirection {
  const direction = directions[Number(dir)];
  if (direction === undefined) throw new RangeError(`dir ${String(dir)} is no direction of a mapping`);
  return direction;
}

/** The attributes a record writes as `attrs`; throws RangeError for a bit that no record is known to use. */
export function recordedAttrs(bits: unknown): DmaAttrs {
  let rest = Number(bits);
  const attrs: { -readonly [K in keyof DmaAttrs]: DmaAttrs[K] } = {};
  for (const [bit, name] of attributes) {
    if ((rest & bit) === 0) continue;
    attrs[name] = true;
    rest -= bit;
  }
  if (rest !== 0) throw new RangeError(`attrs ${String(bits)} holds an unknown bit`);
  return attrs;
}
