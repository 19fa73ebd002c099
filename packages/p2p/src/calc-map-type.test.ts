// Map types and distances of the tree of the kernel notes: three root complexes, and every place of a redirecting bit.

import { ACS } from '@sgfree/hw-model';
import { describe, expect, it } from 'vitest';
import { intel, type PeerName, PeerTree, zen } from '../test/peer-tree.ts';
import { calcMapTypeAndDist } from './calc-map-type.ts';
import { fabricRouteView } from './fabric-route-view.ts';
import { HostRules } from './host-rules.ts';

const { requestRedirect: RR, completionRedirect: CR, egressControl: EC, directTranslated: DT } = ACS;
const ISOLATING = ACS.sourceValidation | ACS.upstreamForwarding;

const unlisted = { identity: { vendorId: 0x8086, deviceId: 0x29c0 } };
const listed = { identity: { vendorId: 0x8086, deviceId: 0x2030 } };
const sameHostOnly = { identity: { vendorId: 0x8086, deviceId: 0x3c00 } };

type AcsOf = Partial<Record<PeerName, number>>;

function verdicts(provider: PeerName, client: PeerName, acs: AcsOf): unknown[] {
  const found = [
    [unlisted, intel],
    [listed, intel],
    [sameHostOnly, intel],
    [unlisted, zen],
  ] as const;
  const routes = found.map(([host, cpu]) => {
    const tree = new PeerTree({}, host);
    for (const [name, control] of Object.entries(acs)) tree.setAcs(name as PeerName, control);
    const rules = new HostRules('7.3.4', cpu);
    return calcMapTypeAndDist(fabricRouteView, tree.fn(provider), tree.fn(client), rules);
  });
  const distances = new Set(routes.map(({ distance }) => distance));
  expect(distances.size).toBe(1);
  return [routes[0]?.distance, ...routes.map(({ mapType }) => mapType)];
}

const bus = ['bus-addr', 'bus-addr', 'bus-addr', 'bus-addr'];
const within = ['not-supported', 'thru-host-bridge', 'thru-host-bridge', 'thru-host-bridge'];
const across = ['not-supported', 'thru-host-bridge', 'not-supported', 'thru-host-bridge'];

describe('provider, client, ACS: distance; unlisted, listed, listed for one host bridge, Zen', () => {
  it.each<[PeerName, PeerName, AcsOf, number, string[]]>([
    ['A', 'A', {}, 0, bus],
    ['A', 'A', { A: RR }, 0, within],
    ['A', 'A1', {}, 2, bus],
    ['A', 'A1', { DSP0: RR }, 2, within],
    ['A', 'A1', { A1: CR }, 2, within],
    ['A', 'B', {}, 4, bus],
    ['A', 'B', { DSP0: ISOLATING, DSP1: ISOLATING }, 4, bus],
    ['A', 'B', { DSP0: DT }, 4, bus],
    ['A', 'B', { DSP0: RR }, 4, within],
    ['A', 'B', { DSP1: CR }, 4, within],
    ['A', 'B', { DSP1: EC }, 4, within],
    ['A', 'B', { USP: RR }, 4, within],
    ['A', 'B', { RP0: RR | CR }, 4, bus],
    ['A', 'D', {}, 6, bus],
    ['D', 'A', {}, 6, bus],
    ['A', 'D', { DSP3: RR }, 6, within],
    ['D', 'A', { DSP3: RR }, 6, within],
    ['D', 'A', { DSP2: EC }, 6, within],
    ['A', 'C', {}, 6, within],
    ['A', 'C', { DSP0: RR, RP1: RR }, 6, within],
    ['I0', 'I1', {}, 2, within],
    ['I0', 'I0', {}, 0, bus],
    ['I0', 'C', {}, 3, within],
    ['A', 'E', {}, 6, across],
    ['E', 'A', { RPX: RR }, 6, across],
    ['RP0', 'A', {}, 3, bus],
  ])('%s, %s, %j', (provider, client, acs, distance, mapTypes) => {
    const [found, ...types] = verdicts(provider, client, acs);
    expect(types).toEqual(mapTypes);
    expect(found).toBe(distance);
  });
});
