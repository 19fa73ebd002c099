// The routes between all functions of a machine with 517 of them, as a large server has: eight root complexes with a
// switch each, and integrated endpoints beside them. Counts of verdicts prove the matrix.
// Simplified: nothing is unknown, and no port redirects.

import { calcMapTypeAndDist, HostRules, type RootDevice, type RouteView } from '@sgfree/p2p';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { requireSame } from './iova-linear-walk.ts';

const FUNCTIONS = 517;
const HOSTS = 8;
const PORTS = 8;
/** Functions of one root complex with its switch: root port, upstream port, downstream ports, endpoints. */
const SWITCHED = 2 + 2 * PORTS;

interface BenchFunction {
  readonly host: number;
  readonly above: BenchFunction | null;
}

const listed: RootDevice = { vendorId: 0x8086, deviceId: 0x09a2, devfn: 0, isRootPort: false };

const view: RouteView<BenchFunction> = {
  upstream: ({ above }) => above,
  acsControl: ({ above }) => (above === null ? 'absent' : 0),
  sameHost: (a, b) => a.host === b.host,
  rootDevice: () => listed,
};

function machine(): BenchFunction[] {
  const functions: BenchFunction[] = [];
  const plug = (host: number, above: BenchFunction | null): BenchFunction => {
    const made = { host, above };
    functions.push(made);
    return made;
  };
  for (let host = 0; host < HOSTS; host += 1) {
    const upstream = plug(host, plug(host, null));
    for (let port = 0; port < PORTS; port += 1) plug(host, plug(host, upstream));
  }
  for (let host = 0; functions.length < FUNCTIONS; host += 1) plug(host % HOSTS, null);
  return functions;
}

function countVerdicts(functions: readonly BenchFunction[], rules: HostRules): [number, number] {
  let direct = 0;
  let distances = 0;
  for (const provider of functions) {
    for (const client of functions) {
      const { mapType, distance } = calcMapTypeAndDist(view, provider, client, rules);
      if (mapType === 'bus-addr') direct += 1;
      if (typeof distance === 'number') distances += distance;
    }
  }
  return [direct, distances];
}

function prepare(): PreparedCase {
  const functions = machine();
  const rules = new HostRules('7.3.4', { vendor: 'GenuineIntel', family: 6 });
  const expected = HOSTS * SWITCHED * SWITCHED + (FUNCTIONS - HOSTS * SWITCHED);
  const [direct, distances] = countVerdicts(functions, rules);
  requireSame('pairs with a common port', expected, direct);
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) {
        requireSame('distances', distances, countVerdicts(functions, rules)[1]);
      }
    },
  };
}

/** All ordered pairs of 517 functions. */
export const p2pAllPairs: BenchCase = {
  name: 'p2p/all-pairs-517',
  operation: 'map type and distance of all 267,289 pairs of a machine with 517 functions',
  prepare,
};
