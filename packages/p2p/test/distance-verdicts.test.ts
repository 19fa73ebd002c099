// The verdicts that others published with their hop lists, where they lie beside the workspace: the machine is built from
// the facts of the text, read in place, and the verdict must come out of it.
// Simplified: what a text does not tell (what stands above a host bridge, which devices are endpoints) is made up here.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DumpedFunction, functionAt, type MachineDump, readTopologyText } from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import { calcMapTypeAndDist, dumpRouteView, HostRules, type P2pdmaRoute, routeHops } from '../src/index.ts';
import { intel, zen } from './peer-tree.ts';

const path = fileURLToPath(
  new URL('../../../../shared/data/excerpts/p2p-distance-verdicts.txt', import.meta.url),
);
const isHere = existsSync(path);
const text = isHere ? readFileSync(path, 'utf8') : '';
const describeHere: (name: string, tests: () => void) => void = isHere ? describe : () => {};

test('published verdicts', ({ annotate }) => {
  if (!isHere) void annotate('the published verdicts (../shared/data) are not here: these tests need them');
  expect(isHere).toBe(text.includes('map_type'));
});

const between = (from: string, to: string): string =>
  text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from)));
const mapTypeIn = (part: string): string =>
  (/map_type = PCI_P2PDMA_MAP_(\w+)/.exec(part)?.[1] ?? '').toLowerCase().replaceAll('_', '-');
const numberIn = (part: string, form: RegExp): number => Number(form.exec(part)?.[1] ?? Number.NaN);

/** A function of a listing: a bridge when it leads to a bus, with redirection or without. */
interface ListedFunction {
  readonly at: string;
  readonly ids: string;
  readonly leadsTo: string | undefined;
  readonly redirects: boolean;
  readonly port: string;
}

function listing(functions: readonly ListedFunction[]): string {
  return functions
    .map(({ at, ids, leadsTo, redirects, port }) => {
      const bus = at.slice(5, 7);
      const kind = port === '' ? '0600' : leadsTo === undefined ? '0300' : '0604';
      const flag = redirects ? '+' : '-';
      const lines = [`${at} ${kind}: ${ids}`, '\tStatus: Cap+ 66MHz-'];
      if (leadsTo !== undefined)
        lines.push(`\tBus: primary=${bus}, secondary=${leadsTo}, subordinate=${leadsTo}, sec-latency=0`);
      if (port !== '')
        lines.push(
          `\tCapabilities: [40] Express (v2) ${port}, MSI 00`,
          '\tCapabilities: [100 v1] Advanced Error Reporting',
        );
      else lines.push('\tCapabilities: [40] Vendor Specific Information: Len=00 <?>');
      if (/Down|Root/.test(port)) {
        lines.push('\tCapabilities: [148 v1] Access Control Services');
        lines.push(
          `\t\tACSCtl:\tSrcValid- TransBlk- ReqRedir${flag} CmpltRedir${flag} UpstreamFwd- EgressCtrl- DirectTrans-`,
        );
      }
      return `${lines.join('\n')}\n\n`;
    })
    .join('');
}

const endpoint = (at: string, ids: string): ListedFunction => ({
  at,
  ids,
  leadsTo: undefined,
  redirects: false,
  port: 'Endpoint',
});
const hostBridge = (at: string, ids: string): ListedFunction => ({ ...endpoint(at, ids), port: '' });

function named(dump: MachineDump, at: string): DumpedFunction {
  const fn = functionAt(dump, at);
  if (fn === undefined) throw new RangeError(at);
  return fn;
}

function routeOf(
  dump: MachineDump,
  provider: string,
  client: string,
  rules: HostRules,
): P2pdmaRoute<DumpedFunction> {
  return calcMapTypeAndDist(dumpRouteView(dump), named(dump, provider), named(dump, client), rules);
}

/** The bus below a port that stands on `bus`, chosen freely where the text does not name it. */
const busAfter = (bus: string): string => (Number.parseInt(bus, 16) + 1).toString(16).padStart(2, '0');

/** The machine of the first report: two endpoints, each below a switch of its own, both below one upstream port. */
function switchMachine(redirects: boolean): { dump: MachineDump; ends: readonly [string, string] } {
  const on = (/ACS redirect is enabled on: ([^\n]+)/.exec(text)?.[1] ?? '').split(', ');
  const common = /common upstream bridge (\S+?),/.exec(text)?.[1] ?? '';
  const [, host = '', ids = ''] = /host bridge (\S+) = (\S+?)[.]?\n/.exec(text) ?? [];
  const bus = (at: string): string => at.slice(5, 7);
  const below = busAfter(bus(common));
  const downPort = (at: string, leadsTo: string): ListedFunction => ({
    at,
    ids: '10b5:8747',
    leadsTo,
    redirects,
    port: 'Downstream Port (Slot+)',
  });
  const upPort = (at: string, leadsTo: string): ListedFunction => ({
    at,
    ids: '10b5:8747',
    leadsTo,
    redirects: false,
    port: 'Upstream Port',
  });
  // The kernel lists them from the provider up, then from the client up.
  const [firstInner = '', firstPort = '', secondInner = '', secondPort = ''] = on;
  expect([firstPort, secondPort].map(bus)).toEqual([below, below]);
  const functions = [
    hostBridge(host, ids),
    {
      at: '0000:00:01.0',
      ids: '8086:0001',
      leadsTo: bus(common),
      redirects: false,
      port: 'Root Port (Slot+)',
    },
    upPort(common, below),
  ];
  const ends: string[] = [];
  for (const [inner, port] of [
    [firstInner, firstPort],
    [secondInner, secondPort],
  ] as const) {
    const inside = bus(inner);
    const upstream = (Number.parseInt(inside, 16) - 1).toString(16).padStart(2, '0');
    const last = busAfter(inside);
    functions.push(downPort(port, upstream), upPort(`0000:${upstream}:00.0`, inside), downPort(inner, last));
    functions.push(endpoint(`0000:${last}:00.0`, '8086:e223'));
    ends.push(`0000:${last}:00.0`);
  }
  return { dump: readTopologyText(listing(functions)), ends: [ends[0] ?? '', ends[1] ?? ''] };
}

describeHere('two cards below one switch', () => {
  const rules = new HostRules('7.3.4', intel);

  test('with redirection on: not supported, and which ports decide', () => {
    const part = between('# A1.', '# A2.');
    const { dump, ends } = switchMachine(true);
    const route = routeOf(dump, ...ends, rules);
    expect(route).toMatchObject({
      mapType: mapTypeIn(part),
      distance: numberIn(part, /hop-count: (\d+)/),
      rule: 'host-bridge-not-listed',
    });
    const inOrder = (/ACS redirect is enabled on: ([^\n]+)/.exec(part)?.[1] ?? '').split(', ');
    expect(route.redirecting.map(({ name }) => name)).toEqual(inOrder);
    expect(route.common === null || typeof route.common === 'string' ? '' : route.common.name).toBe(
      /common upstream bridge (\S+?),/.exec(text)?.[1],
    );
  });

  test('with redirection off: the bus address', () => {
    const part = between('# A2.', '# A3.');
    const { dump, ends } = switchMachine(false);
    expect(routeOf(dump, ...ends, rules)).toMatchObject({
      mapType: mapTypeIn(part),
      distance: numberIn(part, /distance = (\d+)/),
    });
  });
});

describeHere('two cards below two root ports of an AMD machine', () => {
  const part = isHere ? text.slice(text.indexOf('# Machine B')) : '';
  const side = (name: string, end: string): string[] =>
    between(`  ${name} side:`, end)
      .split('\n')
      .filter((line) => /^ {4}\S/.test(line));
  const chain = (name: string, end: string): ListedFunction[] =>
    side(name, end).map((line, i, lines) => {
      const [, at = '', ids = ''] = /(\S+) \((\S+)\)/.exec(line) ?? [];
      const leadsTo = i === 0 ? undefined : (lines[i - 1] ?? '').trim().slice(5, 7);
      const port = ['Endpoint', 'Downstream Port (Slot+)', 'Upstream Port', 'Root Port (Slot+)'][i] ?? '';
      return { at, ids, leadsTo, redirects: line.includes('redirect ON'), port };
    });

  test('through the host bridge, because of the CPU', () => {
    const [provider, client] = [chain('provider', '  client side:'), chain('client', 'ACS redirect')];
    expect([provider.length, client.length]).toEqual([4, 4]);
    const dump = readTopologyText(
      listing([
        hostBridge('0000:00:00.0', '1022:153a'),
        hostBridge('0000:20:00.0', '1022:153a'),
        ...provider,
        ...client,
      ]),
    );
    const [from, to] = [provider[0]?.at ?? '', client[0]?.at ?? ''];
    const route = routeOf(dump, from, to, new HostRules('7.3.4', zen));
    expect(route).toMatchObject({
      mapType: mapTypeIn(part),
      distance: numberIn(part, /distance = (\d+)/),
      common: null,
      rule: 'cpu',
    });
    const hops = routeHops(dumpRouteView(dump), named(dump, from), named(dump, to), route);
    expect(hops.map(({ at }) => at.name)).toEqual([...provider, ...client.toReversed()].map(({ at }) => at));
    const redirecting = hops.filter(({ redirects }) => redirects === true).map(({ at }) => at.name);
    expect(redirecting).toEqual(
      [...provider, ...client].filter(({ redirects }) => redirects).map(({ at }) => at),
    );
    expect(routeOf(dump, from, to, new HostRules('7.3.4', intel)).mapType).toBe('not-supported');
  });
});
