// Hops: the way in the order of travel, with the port that turns requests around in the middle.

import { ACS } from '@sgfree/hw-model';
import { expect, it } from 'vitest';
import { intel, type PeerName, PeerTree } from '../test/peer-tree.ts';
import { calcMapTypeAndDist } from './calc-map-type.ts';
import { fabricRouteView } from './fabric-route-view.ts';
import { HostRules } from './host-rules.ts';
import { routeHops } from './route-hops.ts';
import type { RouteView } from './route-view.ts';
import { upstreamChain } from './upstream-chain.ts';

const rules = new HostRules('7.3.4', intel);

function hops(tree: PeerTree, provider: PeerName, client: PeerName): string[] {
  const [from, to] = [tree.fn(provider), tree.fn(client)];
  const route = calcMapTypeAndDist(fabricRouteView, from, to, rules);
  return routeHops(fabricRouteView, from, to, route).map(
    ({ at, side, redirects }) => `${side} ${at.name}${redirects === true ? '!' : ''}`,
  );
}

it('names the common port once', () => {
  const tree = new PeerTree();
  tree.setAcs('DSP1', ACS.requestRedirect);
  expect(hops(tree, 'A', 'B')).toEqual([
    'provider A',
    'provider USP.down0',
    'common USP.up',
    'client USP.down1!',
    'client B',
  ]);
  expect(hops(tree, 'A', 'A')).toEqual(['common A']);
});

it('shows both ways up to their root complexes where nothing is common', () => {
  expect(hops(new PeerTree(), 'C', 'E')).toEqual(['provider C', 'provider RP1', 'client RPX', 'client E']);
});

it('ends a loop as unknown', () => {
  const [first, second] = [{ name: 'a' }, { name: 'b' }];
  const view: RouteView<{ name: string }> = {
    upstream: (fn) => (fn === first ? second : first),
    acsControl: () => 'absent',
    sameHost: () => 'unknown',
    rootDevice: () => 'unknown',
  };
  expect(upstreamChain(view, first)).toEqual({ functions: [first, second], reachesRoot: false });
});
