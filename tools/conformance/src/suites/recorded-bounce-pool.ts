// The bounce pool of a recorded machine: where it lay, how many areas it had, and where each was searched next.
// Field meanings: vectors/kernel/README.md, "Header fields" (`swiotlb_areas` = `[used, index]` by area).
// Simplified: pools are recorded only while nothing bounces; one that holds a mapping is refused. Short headers leave the
// slots out, which only does where nothing can bounce.

import { SwiotlbPool } from '@sgfree/dma-core';
import { InternalError, physAddr } from '@sgfree/hw-model';
import { BrokenHeader, type JsonRecord } from '../suite.ts';

/** Builds the pool whose first byte the header names in `startField`; throws {@link BrokenHeader}. */
export function recordedBouncePool(header: JsonRecord, startField: string): SwiotlbPool {
  const start = header[startField];
  const slots = header['swiotlb_nslabs'];
  const areas = header['swiotlb_areas'];
  if (typeof start !== 'string' || !/^0x[0-9a-f]{1,13}$/.test(start) || typeof slots !== 'number')
    throw new BrokenHeader(`${startField} and swiotlb_nslabs describe no bounce pool`);
  if (!Array.isArray(areas)) throw new BrokenHeader('swiotlb_areas is no list');
  const areaIndexes = areas.map((area: unknown) => {
    const [used, index] = Array.isArray(area) ? (area as unknown[]) : [];
    if (used !== 0 || typeof index !== 'number')
      throw new BrokenHeader(
        `swiotlb_areas holds ${JSON.stringify(area)}, which is no area without mappings`,
      );
    return index;
  });
  try {
    return new SwiotlbPool({ start: physAddr(Number(start)), slots, areas: areas.length, areaIndexes });
  } catch (error) {
    if (error instanceof InternalError) throw new BrokenHeader(error.message);
    throw error;
  }
}

/** The pool behind the device of a mapping suite, null where there is none to tell of; throws {@link BrokenHeader}. */
export function bouncePoolBehind(header: JsonRecord): SwiotlbPool | null {
  const described = header['swiotlb_nslabs'] !== undefined || header['untrusted'] === 1;
  return header['swiotlb_active'] === 1 && described ? recordedBouncePool(header, 'swiotlb_start') : null;
}
