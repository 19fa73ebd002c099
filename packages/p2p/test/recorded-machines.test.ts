// Recorded machines as dumps: the verdict of every recorded pair comes out of the folder beside it, and hiding a fact
// of it may make a verdict unknown, never another one.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { fc, test as property } from '@fast-check/vitest';
import { type DumpedFunction, type MachineDump, readTopologyTree } from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import {
  calcMapTypeAndDist,
  dumpRouteView,
  HostRules,
  type P2pdmaRoute,
  type RouteView,
} from '../src/index.ts';

const folder = fileURLToPath(new URL('../../../vectors/kernel/p2p/', import.meta.url));
const MAP_TYPES = ['', '', 'not-supported', 'bus-addr', 'thru-host-bridge'];

interface RecordedPair {
  readonly provider: string;
  readonly client: string;
  readonly distance: number;
  readonly map_type: number;
}

interface Machine {
  readonly dump: MachineDump;
  readonly pairs: readonly RecordedPair[];
}

function machineIn(name: string): Machine {
  const topo = `${folder}${name}/topo/`;
  const plain = `${folder}${name}/p2p_pairs.jsonl`;
  const text = existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
  const dump = readTopologyTree({
    list: (path) => (path === '' ? readdirSync(topo) : undefined),
    read: (path) => (existsSync(topo + path) ? readFileSync(topo + path) : undefined),
    link: () => undefined,
  });
  const lines = text.toString().trim().split('\n').slice(1);
  return { dump, pairs: lines.map((line) => JSON.parse(line) as RecordedPair) };
}

function routeOf(
  { dump }: Machine,
  view: RouteView<DumpedFunction>,
  pair: RecordedPair,
): P2pdmaRoute<DumpedFunction> {
  const named = (name: string): DumpedFunction => {
    const found = dump.functions.find((fn) => fn.name === name);
    if (found === undefined) throw new RangeError(name);
    return found;
  };
  return calcMapTypeAndDist(view, named(pair.provider), named(pair.client), new HostRules('7.3.4', dump.cpu));
}

const names = readdirSync(folder);

describe.each(names)('%s', (name) => {
  const machine = machineIn(name);
  const known = dumpRouteView(machine.dump);

  test('gives every recorded verdict', () => {
    const wrong = machine.pairs.filter((pair) => {
      const { mapType, distance } = routeOf(machine, known, pair);
      const isSupported = pair.map_type !== 2;
      return mapType !== MAP_TYPES[pair.map_type] || (isSupported && distance !== pair.distance);
    });
    expect(machine.pairs.length).toBeGreaterThan(200);
    expect(wrong).toEqual([]);
  });

  property.prop([fc.infiniteStream(fc.nat(9)), fc.nat(machine.pairs.length - 1)], { numRuns: 300 })(
    'turns verdicts into unknown only, when facts are hidden',
    (draws, at) => {
      const pair = machine.pairs[at] as RecordedPair;
      const hidden = new Map<string, boolean>();
      const isHidden = (fact: string): boolean => {
        const drawn = hidden.get(fact) ?? draws.next().value === 0;
        hidden.set(fact, drawn);
        return drawn;
      };
      const view: RouteView<DumpedFunction> = {
        upstream: (fn) => (isHidden(`up ${fn.name}`) ? 'unknown' : known.upstream(fn)),
        acsControl: (fn) => (isHidden(`acs ${fn.name}`) ? 'unknown' : known.acsControl(fn)),
        sameHost: (a, b) => (isHidden('host') ? 'unknown' : known.sameHost(a, b)),
        rootDevice: (fn) => (isHidden('root') ? 'unknown' : known.rootDevice(fn)),
      };
      const route = routeOf(machine, view, pair);
      const truth = MAP_TYPES[pair.map_type];
      expect(route.possible).toContain(truth);
      if (route.mapType !== 'unknown') expect(route.mapType).toBe(truth);
    },
  );
});
