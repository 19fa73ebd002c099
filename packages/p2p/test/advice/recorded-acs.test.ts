// Recorded boots of one machine with and without ACS parameters: a what-if on the one gives the registers, the groups and the
// verdicts that the kernel had in the other.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type DumpedFunction, deriveIommuGroups, type MachineDump, readTopologyTree } from '@sgfree/topology';
import { describe, expect, test } from 'vitest';
import { adviceFor, calcMapTypeAndDist, dumpRouteView, HostRules, whatIf } from '../../src/index.ts';
import { at } from './described-machine.ts';

const root = fileURLToPath(new URL('../../../../vectors/kernel/p2p/', import.meta.url));
const MAP_TYPES = ['', '', 'not-supported', 'bus-addr', 'thru-host-bridge'];

interface Pair {
  readonly provider: string;
  readonly client: string;
  readonly map_type: number;
}

interface Boot {
  readonly name: string;
  readonly dump: MachineDump;
  /** The ACS argument of the boot; '' without one. */
  readonly argument: string;
  /** Recorded groups, as lists of names. */
  readonly groups: readonly (readonly string[])[];
  readonly pairs: readonly Pair[];
}

function bootIn(name: string): Boot {
  const topo = `${root}${name}/topo/`;
  const dump = readTopologyTree({
    list: (path) => (path === '' ? readdirSync(topo) : undefined),
    read: (path) => (existsSync(topo + path) ? readFileSync(topo + path) : undefined),
    link: () => undefined,
  });
  const argument = /\spci=\S*acs\S*/.exec(readFileSync(`${root}${name}/RUN.txt`, 'utf8'))?.[0].trim() ?? '';
  const groups = readFileSync(`${topo}iommu_groups.txt`, 'utf8').matchAll(/^group .* devices=(.*)$/gm);
  const plain = `${root}${name}/p2p_pairs.jsonl`;
  const lines = (
    existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`))
  ).toString();
  return {
    name,
    dump,
    argument,
    groups: [...groups].map(([, members = '']) => members.trim().split(' ')),
    pairs: lines
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as Pair),
  };
}

const boots = readdirSync(root).map(bootIn);
const identity = ({ dump }: Boot): string =>
  JSON.stringify([
    dump.cpu,
    dump.functions.map(({ name, vendorId, deviceId }) => [name, vendorId, deviceId]),
  ]);
const changesNothing = ({ dump, argument }: Boot): boolean =>
  argument === '' ||
  whatIf(dump, [argument], { firmware: 'zero' }).mistakes.some(({ code }) => code === 'matches-nothing');
const cases = boots
  .filter(({ argument }) => argument !== '')
  .flatMap((after) =>
    boots
      .filter((before) => before !== after && identity(before) === identity(after) && changesNothing(before))
      .map((before) => ({ before, after, title: `${before.name} with ${after.argument} is ${after.name}` })),
  );

test('there are boots to compare', () => {
  expect(cases.length).toBeGreaterThanOrEqual(5);
  const codes = cases.map(({ before, after }) =>
    whatIf(before.dump, [after.argument]).mistakes.map(({ code }) => code),
  );
  expect(codes).toContainEqual([]);
  expect(codes).toContainEqual(['text-left-over', 'matches-nothing']);
});

describe.each(cases)('$title', ({ before, after }) => {
  test.each(['zero', 'unknown'] as const)('in its registers, firmware %s', (firmware) => {
    const { controls } = whatIf(before.dump, [after.argument], { firmware });
    for (const fn of before.dump.functions) {
      const found = at(after.dump, fn.name).acs.control;
      const { value, unknownBits } = controls.get(fn) ?? { value: Number(fn.acs.control), unknownBits: 0 };
      if (fn.acs.control === 'absent') expect(found).toBe('absent');
      else expect(value).toBe(Number(found) & ~unknownBits);
      if (firmware === 'zero') expect(unknownBits).toBe(0);
    }
  });

  test.each(['zero', 'unknown'] as const)('in its groups, firmware %s', (firmware) => {
    const { controls } = whatIf(before.dump, [after.argument], { firmware });
    const { groups } = deriveIommuGroups(before.dump, { controls });
    const named = (members: readonly string[]): string => members.toSorted().join(' ');
    expect(new Set(groups.map(({ members }) => named(members.map(({ name }) => name))))).toEqual(
      new Set(after.groups.map(named)),
    );
  });

  test('in its verdicts', () => {
    const { dump } = before;
    const view = dumpRouteView(dump, whatIf(dump, [after.argument]).controls);
    const rules = new HostRules('7.3.4', dump.cpu);
    for (const { provider, client, map_type } of after.pairs) {
      const { mapType } = calcMapTypeAndDist(view, at(dump, provider), at(dump, client), rules);
      expect(`${provider} ${client} ${mapType}`).toBe(`${provider} ${client} ${MAP_TYPES[map_type]}`);
    }
  });
});

describe.each(boots)('advice on $name', ({ dump, pairs }) => {
  const rules = new HostRules('7.3.4', dump.cpu);

  test('starts from the recorded verdict, and says how a bus address is to be had', () => {
    expect(pairs.length).toBeGreaterThan(200);
    for (const { provider, client, map_type } of pairs) {
      const advice = adviceFor(dump, at(dump, provider), at(dump, client), rules);
      expect(advice.today.mapType).toBe(MAP_TYPES[map_type]);
      expect(advice.busAddress).toBe(chanceOf(dump, at(dump, provider), at(dump, client), map_type === 3));
    }
  });
});

function chanceOf(dump: MachineDump, one: DumpedFunction, other: DumpedFunction, isToday: boolean): string {
  if (isToday) return 'today';
  const silent = new Map(
    dump.functions
      .filter(({ acs }) => acs.control !== 'absent')
      .map((fn) => [fn, { value: 0, unknownBits: 0 }]),
  );
  const rules = new HostRules('7.3.4', dump.cpu);
  const { mapType } = calcMapTypeAndDist(dumpRouteView(dump, silent), one, other, rules);
  return mapType === 'bus-addr' ? 'clear-redirect' : 'no-common-switch';
}
