// Words of trace lines as arguments of the DMA API: directions and attribute names.
// Source followed: include/trace/events/dma.h, the symbols of directions and attributes.
// Simplified: names that the model has no attribute for are left out; they change nothing it counts.

import { attrsTraceName, type DmaAttrs, type DmaDataDirection, NO_ATTRS } from '@sgfree/dma-core';
import type { TraceDirection } from '@sgfree/trace';

const DIRECTIONS: Readonly<Record<TraceDirection, DmaDataDirection>> = {
  BIDIRECTIONAL: 'bidirectional',
  TO_DEVICE: 'to-device',
  FROM_DEVICE: 'from-device',
  NONE: 'none',
  '': 'bidirectional',
};

/** The direction; one that the trace does not hold counts as bidirectional, which costs the same. */
export const directionOfTrace = (direction: TraceDirection): DmaDataDirection => DIRECTIONS[direction];

const FIELDS: readonly (keyof DmaAttrs)[] = [
  'weakOrdering',
  'writeCombine',
  'noKernelMapping',
  'skipCpuSync',
  'forceContiguous',
  'allocSinglePages',
  'noWarn',
  'privileged',
  'mmio',
  'debuggingIgnoreCachelines',
  'requireCoherent',
  'ccShared',
];

/** By the name that a trace prints. */
const byName: ReadonlyMap<string, keyof DmaAttrs> = new Map(
  FIELDS.map((field) => [attrsTraceName({ [field]: true }), field]),
);

const MOST_KNOWN = 1000;

/** Reads `attrs=` texts; there are few different ones, so that most are known already. */
export class AttrsReader {
  readonly #known = new Map<string, DmaAttrs>([['', NO_ATTRS]]);

  /** The attributes of an `attrs=` text. */
  read(text: string): DmaAttrs {
    const before = this.#known.get(text);
    if (before !== undefined) return before;
    const attrs: Partial<Record<keyof DmaAttrs, boolean>> = {};
    for (const name of text.split('|')) {
      const field = byName.get(name);
      if (field !== undefined) attrs[field] = true;
    }
    if (this.#known.size < MOST_KNOWN) this.#known.set(text, attrs);
    return attrs;
  }
}
