// The published server with 517 functions, where it lies beside the workspace: which pairs share a switch, and what
// decides for the others.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DumpedFunction, functionAt, type MachineDump, readTopologyText } from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import { calcMapTypeAndDist, dumpRouteView, HostRules, routeHops } from '../src/index.ts';
import { intel, zen } from './peer-tree.ts';

const path = fileURLToPath(new URL('../../../../shared/data/gpud/lspci-vvv', import.meta.url));
const isHere = existsSync(path);
const MISSING = 'the published machines (../shared/data) are not here: these tests need them';

test('published machines', ({ annotate }) => {
  if (!isHere) void annotate(MISSING);
  expect(typeof isHere).toBe('boolean');
});

function named(dump: MachineDump, address: string): DumpedFunction {
  const fn = functionAt(dump, address);
  if (fn === undefined) throw new RangeError(address);
  return fn;
}

/** What is not here is not tested; the test above says so. */
const describeHere: (name: string, tests: () => void) => void = isHere ? describe : () => {};

describeHere('the server with 517 functions', () => {
  const dump = readTopologyText(isHere ? readFileSync(path, 'latin1') : '00:00.0 Host bridge: none');
  const view = dumpRouteView(dump);
  const rules = new HostRules('7.3.4', intel);

  test('a GPU and the adapter behind its switch', () => {
    const [gpu, adapter] = ['19:00.0', '1a:00.0'].map((at) => named(dump, at)) as [
      DumpedFunction,
      DumpedFunction,
    ];
    const route = calcMapTypeAndDist(view, gpu, adapter, rules);
    expect(route).toMatchObject({ mapType: 'bus-addr', distance: 4, rule: 'common-port', redirecting: [] });
    const hops = routeHops(view, gpu, adapter, route);
    expect(hops.map(({ side }) => side)).toEqual(['provider', 'provider', 'common', 'client', 'client']);
  });

  test('a GPU and an adapter below another root complex', () => {
    const [gpu, adapter] = ['19:00.0', '9c:00.0'].map((at) => named(dump, at)) as [
      DumpedFunction,
      DumpedFunction,
    ];
    const route = calcMapTypeAndDist(view, gpu, adapter, rules);
    expect(route).toMatchObject({
      mapType: 'thru-host-bridge',
      distance: 8,
      rule: 'host-bridge-listed',
      common: null,
    });
    const older = calcMapTypeAndDist(view, gpu, adapter, new HostRules('6.8.0', intel));
    expect(older).toMatchObject({ mapType: 'unknown', missing: [{ kind: 'kernel-version' }] });
    expect(older.possible).toEqual(['not-supported', 'thru-host-bridge']);
    expect(calcMapTypeAndDist(view, gpu, adapter, new HostRules('6.8.0', zen)).rule).toBe('cpu');
  });

  test('every pair has a verdict, the same from both ends', () => {
    const odd = dump.functions.filter((a) =>
      dump.functions.some((b) => {
        const [there, back] = [calcMapTypeAndDist(view, a, b, rules), calcMapTypeAndDist(view, b, a, rules)];
        return (
          there.mapType === 'unknown' || there.mapType !== back.mapType || there.distance !== back.distance
        );
      }),
    );
    expect(odd).toEqual([]);
  });
});
