// The routes between all functions of a dumped machine with 517 of them, as a large server has: eight root complexes with
// a switch each, and integrated endpoints beside them. Counts of verdicts prove the matrix.
// Simplified: nothing is unknown, and no port redirects.

import { calcMapTypeAndDist, dumpRouteView, HostRules, type RouteView } from '@sgfree/p2p';
import { type DumpedFunction, type MachineDump, readTopologyText } from '@sgfree/topology';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { SERVER_FUNCTIONS, SERVER_HOSTS, SERVER_SWITCHED, serverListing } from '../synthetic-server.ts';
import { requireSame } from './iova-linear-walk.ts';

interface Counts {
  direct: number;
  throughHost: number;
  distances: number;
}

function countVerdicts(
  { functions }: MachineDump,
  view: RouteView<DumpedFunction>,
  rules: HostRules,
): Counts {
  const counts = { direct: 0, throughHost: 0, distances: 0 };
  for (const provider of functions) {
    for (const client of functions) {
      const { mapType, distance } = calcMapTypeAndDist(view, provider, client, rules);
      if (mapType === 'bus-addr') counts.direct += 1;
      if (mapType === 'thru-host-bridge') counts.throughHost += 1;
      if (typeof distance === 'number') counts.distances += distance;
    }
  }
  return counts;
}

function prepare(): PreparedCase {
  const dump = readTopologyText(serverListing());
  const rules = new HostRules('7.3.4', { vendor: 'GenuineIntel', family: 6 });
  const count = (): Counts => countVerdicts(dump, dumpRouteView(dump), rules);
  const direct = SERVER_HOSTS * SERVER_SWITCHED ** 2 + (SERVER_FUNCTIONS - SERVER_HOSTS * SERVER_SWITCHED);
  const { distances, ...found } = count();
  requireSame('pairs with a common port', direct, found.direct);
  requireSame('all other pairs', SERVER_FUNCTIONS ** 2 - direct, found.throughHost);
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) requireSame('distances', distances, count().distances);
    },
    rates: [{ unit: 'pairs', perOperation: SERVER_FUNCTIONS ** 2 }],
  };
}

/** All ordered pairs of 517 functions. */
export const p2pAllPairs: BenchCase = {
  name: 'p2p/all-pairs-517',
  operation: 'map type and distance of all 267,289 pairs of a dumped machine with 517 functions',
  prepare,
};
