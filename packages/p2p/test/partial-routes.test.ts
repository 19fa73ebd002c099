// The route algorithm against every completion of a partly hidden machine: a verdict is unknown exactly when two
// completions differ, and nothing that could happen is left out.

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { calcMapTypeAndDist, HostRules, type RootDevice } from '../src/index.ts';
import {
  type PartialFunction,
  type PartialMachine,
  partialView,
  possibleVerdicts,
} from './partial-machine.ts';
import { intel, zen } from './peer-tree.ts';

const BRIDGES = 3;
const SIZE = BRIDGES + 2;
const root: fc.Arbitrary<RootDevice | null> = fc.option(
  fc.record({
    vendorId: fc.constant(0x8086),
    deviceId: fc.constantFrom(0x2030, 0x3c00, 0xffff),
    devfn: fc.constantFrom(0, 8),
    isRootPort: fc.boolean(),
  }),
);
const rarely = fc.nat(3).map((drawn) => drawn === 0);
const flags = (each: fc.Arbitrary<boolean>): fc.Arbitrary<boolean[]> =>
  fc.array(each, { minLength: SIZE, maxLength: SIZE });

const machines: fc.Arbitrary<PartialMachine> = fc
  .record({
    // A parent is a bridge with a higher index, so that there are no loops.
    above: fc.array(fc.option(fc.nat(BRIDGES)), { minLength: SIZE, maxLength: SIZE }),
    parentHidden: flags(rarely),
    redirects: flags(rarely),
    acsHidden: flags(rarely),
    sameHost: fc.constantFrom('same', 'other', 'hidden' as const),
    roots: fc.tuple(root, root),
    rootsHidden: fc.tuple(fc.boolean(), fc.boolean()),
    isSelf: fc.nat(9).map((drawn) => drawn === 0),
  })
  .map(({ above, sameHost, roots, rootsHidden, ...rest }) => {
    const parent = above.map((drawn, index) => {
      const first = Math.max(index + 1, 2);
      return drawn === null || first + drawn >= SIZE ? null : first + drawn;
    });
    const knownSame = sharesKnownBridge(parent, rest.parentHidden) || rest.isSelf;
    const isSameHost = knownSame || sameHost === 'same';
    const sameHostHidden = !knownSame && sameHost === 'hidden';
    const oneRoot = isSameHost || sameHostHidden;
    const bothHidden = sameHostHidden || (oneRoot && rootsHidden[0]);
    return {
      ...rest,
      parent,
      isSameHost,
      sameHostHidden,
      roots: [roots[0], oneRoot ? roots[0] : roots[1]] as const,
      rootHidden: oneRoot ? ([bothHidden, bothHidden] as const) : rootsHidden,
    };
  });

function sharesKnownBridge(parent: readonly (number | null)[], hidden: readonly boolean[]): boolean {
  const known = (from: number): number[] => {
    const above = parent[from] ?? null;
    return above === null || hidden[from] === true ? [from] : [from, ...known(above)];
  };
  return known(0).some((at) => known(1).includes(at));
}

describe('a machine known in part', () => {
  test.prop([machines, fc.constantFrom('zen', 'intel', 'unknown' as const)], { numRuns: 400 })(
    'has every map type of its completions, and no other',
    (machine, cpu) => {
      const { view, functions } = partialView(machine);
      const rules = new HostRules('7.3.4', { zen, intel, unknown: 'unknown' as const }[cpu]);
      const [provider, client] = functions as [PartialFunction, PartialFunction];
      const route = calcMapTypeAndDist(view, provider, machine.isSelf ? provider : client, rules);
      const cpus = cpu === 'unknown' ? [true, false] : [cpu === 'zen'];
      const { mapTypes, distances } = possibleVerdicts(machine, cpus);
      expect(new Set(route.possible)).toEqual(mapTypes);
      expect(route.mapType).toBe(mapTypes.size === 1 ? [...mapTypes][0] : 'unknown');
      expect(route.missing.length > 0).toBe(mapTypes.size > 1);
      if (route.distance !== 'unknown') expect(distances).toEqual(new Set([route.distance]));
    },
  );
});
