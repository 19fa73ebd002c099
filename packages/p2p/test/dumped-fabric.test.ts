// A live fabric built from a dump is the machine of the dump: the kernel's algorithm gives the same verdict of every pair
// on both, and requests really take the way that bridges, windows and ACS registers of the dump leave them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  Clock,
  dmaAddr,
  type PciFunction,
  PhysicalMemory,
  type Route,
  type RouteCounters,
} from '@sgfree/hw-model';
import {
  type DumpedFabric,
  type DumpedFunction,
  type FabricOptions,
  fabricOfDump,
  type MachineDump,
  readTopologyText,
  readTopologyTree,
} from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import { calcMapTypeAndDist, dumpRouteView, fabricRouteView, HostRules } from '../src/index.ts';
import { intel, zen } from './peer-tree.ts';

const recorded = fileURLToPath(new URL('../../../vectors/kernel/', import.meta.url));
const published = fileURLToPath(new URL('../../../../shared/data/gpud/lspci-vvv', import.meta.url));
const isPublishedHere = existsSync(published);

const folders = readdirSync(recorded, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('topo/pci.txt'))
  .map((path) => path.slice(0, -'pci.txt'.length))
  .sort();

function recordedDump(folder: string): MachineDump {
  const topo = recorded + folder;
  return readTopologyTree({
    list: (path) => (path === '' ? readdirSync(topo) : undefined),
    read: (path) => (existsSync(topo + path) ? readFileSync(topo + path) : undefined),
    link: () => undefined,
  });
}

function wholeFabric(dump: MachineDump, more: Partial<FabricOptions> = {}): DumpedFabric {
  const ground = { memory: new PhysicalMemory(), clock: new Clock() };
  const outcome = fabricOfDump(dump, { ...ground, enabled: dump.functions, ...more });
  if (!outcome.ok) {
    const missing = outcome.missing.map(({ fact, fn, bar }) => `${fact} ${fn.name} ${bar}`);
    throw new Error(
      [...missing, ...outcome.obstacles.map(({ code, fn }) => `${code} ${fn.name}`)].join(', '),
    );
  }
  return outcome.value;
}

/** Every difference between the verdicts of dump and fabric. */
function differences(
  dump: MachineDump,
  built: DumpedFabric,
  among: readonly DumpedFunction[],
  controls?: Parameters<typeof dumpRouteView>[1],
): string[] {
  const view = dumpRouteView(dump, controls);
  const found: string[] = [];
  const names = (functions: readonly { readonly name: string }[]): string[] =>
    functions.map(({ name }) => name);
  for (const rules of [new HostRules('7.3.4', intel), new HostRules('7.3.4', zen)]) {
    for (const a of among) {
      for (const b of among) {
        const dumped = calcMapTypeAndDist(view, a, b, rules);
        const [liveA, liveB] = [built.functionOf(a), built.functionOf(b)] as [PciFunction, PciFunction];
        const live = calcMapTypeAndDist(fabricRouteView, liveA, liveB, rules);
        const same =
          dumped.mapType === live.mapType &&
          dumped.distance === live.distance &&
          dumped.rule === live.rule &&
          String(names(dumped.redirecting)) === String(names(live.redirecting)) &&
          nameOf(dumped.common) === nameOf(live.common);
        if (!same) found.push(`${a.name} ${b.name}: ${dumped.mapType} ${live.mapType}`);
      }
    }
  }
  return found;
}

const nameOf = (fn: { readonly name: string } | null | 'unknown'): string =>
  fn === null || fn === 'unknown' ? String(fn) : fn.name;

/** The bridges above a function, nearest first. */
function above(fn: DumpedFunction): DumpedFunction[] {
  const chain: DumpedFunction[] = [];
  for (let at = fn.upstream; typeof at !== 'string'; at = at.upstream) chain.push(at);
  return chain;
}

type ControlOf = (fn: DumpedFunction) => number;

/** The way a request must take, from the nearest bridge above both ends and the ACS bits on the way. */
function expectedRoute(a: DumpedFunction, b: DumpedFunction, controlOf: ControlOf): Route {
  const [up, down] = [above(a), above(b)];
  const at = up.findIndex((bridge) => down.includes(bridge));
  if (at < 0) return 'host-bridge';
  const common = up[at] as DumpedFunction;
  const below = at === 0 ? a : (up[at - 1] as DumpedFunction);
  const isShared = common.portType === 'absent' || common.portType === 7;
  if (isShared) return 'switch-local';
  const isSwitch = common.portType === 5;
  const redirected = below.portType === 6 && (controlOf(below) & 0x04) !== 0;
  if (isSwitch && !redirected) return 'switch-local';
  // Upwards now: every port that leads back to the target must be told to let that pass.
  const ports = up.slice(at).filter(({ portType }) => portType === 4 || portType === 6);
  return ports.every((port) => (controlOf(port) & 0x10) !== 0) ? 'host-bridge' : 'refused';
}

const requestsOf = (counters: RouteCounters): Record<Route, number> => ({
  'switch-local': counters.switchLocal.requests,
  'host-bridge': counters.hostBridge.requests,
  memory: counters.memory.requests,
  refused: counters.refused.requests,
});

/** The way a request for a BAR really takes; bytes written are read back by the owner's memory. */
function takenRoute(built: DumpedFabric, from: PciFunction, to: PciFunction, bar: number): Route {
  const { fabric } = built;
  const before = requestsOf(fabric.counters);
  const target = to.bar(bar) ?? to.bars[0];
  if (target === undefined) throw new RangeError(to.name);
  const written = fabric.write(from, dmaAddr(target.address), Uint8Array.of(0x5a));
  const seen = new Uint8Array(1);
  target.target.mmioRead(0, seen);
  target.target.mmioWrite(0, Uint8Array.of(0));
  if ((written === 'success') !== (seen[0] === 0x5a))
    throw new Error(`${from.name} to ${to.name}: ${written}`);
  const after = requestsOf(fabric.counters);
  return (Object.keys(after) as Route[]).find((route) => after[route] > before[route]) as Route;
}

function wrongWays(built: DumpedFabric, among: readonly DumpedFunction[], controlOf: ControlOf): string[] {
  const wrong: string[] = [];
  for (const a of among) {
    const from = built.functionOf(a);
    if (from === undefined || from.secondaryBus !== null) continue;
    for (const b of among) {
      const to = built.functionOf(b);
      const bar = to?.bars[0];
      if (a === b || to === undefined || bar === undefined) continue;
      const taken = takenRoute(built, from, to, bar.index);
      const expected = expectedRoute(a, b, controlOf);
      if (taken !== expected) wrong.push(`${a.name} to ${b.name}: ${taken}, expected ${expected}`);
    }
  }
  return wrong;
}

const dumpedControl: ControlOf = ({ acs }) => (typeof acs.control === 'number' ? acs.control : 0);

describe.each(folders)('the recorded machine %s', (folder) => {
  const dump = recordedDump(folder);

  test('gives the same verdict of every pair, dumped and live', () => {
    const built = wholeFabric(dump);
    expect(built.leftOut).toEqual([]);
    expect(built.fabric.functions.map(({ name }) => name).sort()).toEqual(
      dump.functions.map(({ name }) => name).sort(),
    );
    expect(differences(dump, built, dump.functions)).toEqual([]);
  });

  test('routes requests between its devices as its registers say', () => {
    expect(wrongWays(wholeFabric(dump), dump.functions, dumpedControl)).toEqual([]);
  });

  test.each([0x00, 0x04, 0x08, 0x11, 0x1d, 0x20])('and so with other ACS bits: %i', (bits) => {
    const having = dump.functions.filter(({ acs }) => typeof acs.control === 'number');
    const acs = new Map(having.map((fn) => [fn, bits]));
    const controls = new Map(having.map((fn) => [fn, { value: bits, unknownBits: 0 }]));
    const built = wholeFabric(dump, { acs });
    expect(differences(dump, built, dump.functions, controls)).toEqual([]);
    expect(wrongWays(built, dump.functions, (fn) => acs.get(fn) ?? 0)).toEqual([]);
  });
});

test('published machines', ({ annotate }) => {
  if (!isPublishedHere) {
    void annotate('the published machines (../shared/data) are not here: these tests need them');
  }
  expect(typeof isPublishedHere).toBe('boolean');
});

/** What is not here is not tested; the test above says so. */
const describeHere: (name: string, tests: () => void) => void = isPublishedHere ? describe : () => {};

describeHere('the published server with 517 functions', () => {
  const text = isPublishedHere ? readFileSync(published, 'latin1') : '00:00.0 Host bridge: none';
  const dump = readTopologyText(text);
  const devices = dump.functions.filter(
    ({ headerType, virtualFunction }) => headerType === 0 && virtualFunction !== true,
  );
  const some = devices.filter((_, index) => index % 5 === 0);

  test('is built whole, verdicts and ways the same', () => {
    const built = wholeFabric(dump, { assume: { busOffset: 0, rootDeviceAsShown: true } });
    expect(built.leftOut.every(({ code }) => code === 'virtual-function')).toBe(true);
    expect(differences(dump, built, some)).toEqual([]);
    expect(wrongWays(built, some, dumpedControl)).toEqual([]);
  });
});
