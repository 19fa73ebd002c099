// The ranges behind a window, against a list of single bytes' places.
import { fc, test } from '@fast-check/vitest';
import { addOffset, byteDistance, type PhysAddr, physAddr } from '@sgfree/hw-model';
import { expect } from 'vitest';
import type { PhysVec } from '../phys-vec.ts';
import { windowRuns } from './window-runs.ts';

const BASE = physAddr(0x1000);
/** A byte here stands for a page: ranges are short so that each byte can be looked at. */
const ranges = fc.array(
  fc.record({ at: fc.integer({ min: 0, max: 12 }), len: fc.integer({ min: 1, max: 5 }) }),
  { minLength: 1, maxLength: 6 },
);

const places = (phys: readonly PhysVec[]): number[] =>
  phys.flatMap(({ paddr, len }) =>
    Array.from({ length: len }, (_, at) => byteDistance(BASE, addOffset(paddr, at))),
  );

test.prop([ranges, fc.nat(), fc.nat()])(
  'the same bytes in the same order, in as few ranges as can be',
  (list, from, count) => {
    const phys = list.map(({ at, len }) => ({ paddr: addOffset<PhysAddr>(BASE, at), len }));
    const all = places(phys);
    const offset = from % all.length;
    const length = 1 + (count % (all.length - offset));
    const runs = windowRuns(phys, offset, length);
    const wanted = all.slice(offset, offset + length);
    expect(places(runs)).toEqual(wanted);
    const breaks = wanted.filter((place, at) => at > 0 && place !== (wanted[at - 1] ?? 0) + 1).length;
    expect(runs).toHaveLength(breaks + 1);
  },
);
