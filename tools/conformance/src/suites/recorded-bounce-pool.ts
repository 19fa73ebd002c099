// The bounce pool of a recorded machine: where it lay, how many areas it had, and where each was searched next.
// Field meanings: vectors/kernel/README.md, "Header fields" (`swiotlb_areas` = `[used, index]` by area).
// Simplified: pools are recorded only while nothing bounces; one that holds a mapping is refused. Short headers leave the
// slots out, which only does where nothing can bounce.

import { SwiotlbPool } from '@sgfree/dma-core';
import { InternalError, physAddr } from '@sgfree/hw-model';
import { count, exactly, flag, hexNumber, listOf, orAbsent, read, tupleOf } from '../recorded-value.ts';
import { BrokenHeader, type JsonRecord } from '../suite.ts';

/** `[used, index]`. */
const areaWithoutMappings = tupleOf(exactly(0), count);

/** Builds the pool whose first byte the header names in `startField`; throws {@link BrokenHeader}. */
export function recordedBouncePool(header: JsonRecord, startField: string): SwiotlbPool {
  const start = read(header, startField, hexNumber);
  const slots = read(header, 'swiotlb_nslabs', count);
  const areas = read(header, 'swiotlb_areas', listOf(areaWithoutMappings));
  const areaIndexes = areas.map(([, index]) => index);
  try {
    return new SwiotlbPool({ start: physAddr(start), slots, areas: areas.length, areaIndexes });
  } catch (error) {
    if (error instanceof InternalError) throw new BrokenHeader(error.message);
    throw error;
  }
}

/** The pool behind the device of a mapping suite, null where there is none to tell of; throws {@link BrokenHeader}. */
export function bouncePoolBehind(header: JsonRecord): SwiotlbPool | null {
  const described = header['swiotlb_nslabs'] !== undefined || read(header, 'untrusted', flag);
  const active = read(header, 'swiotlb_active', orAbsent(flag)) ?? false;
  return active && described ? recordedBouncePool(header, 'swiotlb_start') : null;
}
