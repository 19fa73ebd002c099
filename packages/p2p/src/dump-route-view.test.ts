// Routes over dumps: what a text does not show stays unknown, and registers can be given other values.

import { type DumpedFunction, functionAt, type MachineDump, readTopologyText } from '@sgfree/topology';
import { describe, expect, it } from 'vitest';
import { intel, zen } from '../test/peer-tree.ts';
import { calcMapTypeAndDist, type P2pdmaRoute } from './calc-map-type.ts';
import { dumpRouteView } from './dump-route-view.ts';
import { HostRules } from './host-rules.ts';

/** A switch with two ports below a root port, and a device below another one. */
const tree = `
-[0000:00]-+-00.0  Intel Corporation Device 2030
           +-01.0-[01-04]----00.0-[02-04]--+-00.0-[03]----00.0  NVIDIA Corporation Device 2330
           |                               \\-01.0-[04]----00.0  Mellanox Technologies Device 1021
           \\-02.0-[05]----00.0  Mellanox Technologies Device 1021
`;

const dump = readTopologyText(tree);
const at = (address: string): DumpedFunction => {
  const found = functionAt(dump, address);
  if (found === undefined) throw new RangeError(address);
  return found;
};
const rules = new HostRules('7.3.4', intel);
const route = (
  client: string,
  controls?: Parameters<typeof dumpRouteView>[1],
  under: HostRules = rules,
  machine: MachineDump = dump,
): P2pdmaRoute<DumpedFunction> =>
  calcMapTypeAndDist(dumpRouteView(machine, controls), at('03:00.0'), at(client), under);

describe('a drawing of a machine', () => {
  it('tells distances, but not ACS: all that can come out is listed, and what is missing', () => {
    const found = route('04:00.0');
    expect(found.mapType).toBe('unknown');
    expect(found).toMatchObject({ distance: 4, rule: 'unknown' });
    expect(found.possible).toContain('bus-addr');
    const hidden = found.missing.flatMap((fact) => (fact.kind === 'acs-control' ? [fact.of.name] : []));
    expect(hidden).toEqual(
      ['03:00.0', '02:00.0', '01:00.0', '04:00.0', '02:01.0'].map((name) => `0000:${name}`),
    );
  });

  it('decides where nothing hidden matters', () => {
    expect(route('05:00.0', undefined, new HostRules('7.3.4', zen))).toMatchObject({
      mapType: 'thru-host-bridge',
      distance: 6,
      rule: 'cpu',
      missing: [],
    });
  });

  it('with registers given instead', () => {
    const all = ['03:00.0', '02:00.0', '01:00.0', '04:00.0', '02:01.0'];
    const clear = new Map(all.map((name) => [at(name), { value: 0, unknownBits: 0 }]));
    expect(route('04:00.0', clear)).toMatchObject({ mapType: 'bus-addr', rule: 'common-port' });
    clear.set(at('02:01.0'), { value: 4, unknownBits: 0 });
    const redirected = route('04:00.0', clear, new HostRules('7.3.4', zen));
    expect(redirected).toMatchObject({
      mapType: 'thru-host-bridge',
      distance: 4,
      redirecting: [at('02:01.0')],
    });
    clear.set(at('02:01.0'), { value: 0, unknownBits: 8 });
    expect(route('04:00.0', clear).missing).toContainEqual({ kind: 'acs-control', of: at('02:01.0') });
  });

  it('that leaves bridges out tells no distance and no common port', () => {
    const partial = { ...dump, partial: true };
    expect(route('04:00.0', undefined, rules, partial)).toMatchObject({
      mapType: 'unknown',
      distance: 'unknown',
      common: 'unknown',
    });
  });
});
