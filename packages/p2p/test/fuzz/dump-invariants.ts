// What must hold of whatever a reader makes of a damaged dump: it is a tree, every fact in it stands in the text, and no
// verdict is definite unless all machines that the dump can show have it.
// Source followed: the rule that what a dump cannot tell is unknown. Blocks of a listing are cut out and read once more
// here by plain regular expressions.
// Simplified: facts are looked up in the text for listings only; verdicts are asked for a sample of pairs.

import assert from 'node:assert/strict';
import {
  type DumpedFunction,
  deriveIommuGroups,
  type MachineDump,
  TopologyInputError,
} from '@sgfree/topology';
import { calcMapTypeAndDist, dumpRouteView, HostRules, type P2pCpu } from '../../src/index.ts';
import { possibleVerdicts } from './possible-verdicts.ts';

const cpus: readonly (readonly [P2pCpu | 'unknown', readonly boolean[]])[] = [
  [{ vendor: 'AuthenticAMD', family: 0x19 }, [true]],
  [{ vendor: 'GenuineIntel', family: 6 }, [false]],
  ['unknown', [true, false]],
];
const rules = cpus.map(([cpu, allows]) => [new HostRules('7.3.4', cpu), allows] as const);

/** Reads; undefined when the reader refuses in the way it may. Any other failure is thrown. */
export function readOrRefused(read: () => MachineDump): MachineDump | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TopologyInputError) {
      assert.ok(error.message.length < 4000, `a message of ${error.message.length} characters`);
      return undefined;
    }
    throw error;
  }
}

/** Throws unless the dump is sound. `text`: the listing it came from, where that is all it came from. */
export function requireSound(dump: MachineDump, text: string | undefined, seed: number): void {
  requireTree(dump);
  for (const fn of dump.functions) requireBytes(fn);
  if (text !== undefined) requireStated(dump, text);
  for (const [provider, client] of samplePairs(dump.functions, seed))
    requireVerdict(dump, provider, client, seed);
  const members = deriveIommuGroups(dump).groups.flatMap((group) => group.members);
  assert.equal(new Set(members).size, members.length, 'a function in two groups');
}

function requireTree(dump: MachineDump): void {
  const names = new Set(dump.functions.map(({ name }) => name));
  assert.equal(names.size, dump.functions.length, 'one address twice');
  for (const fn of dump.functions) {
    const seen = new Set<DumpedFunction>();
    let at: DumpedFunction['upstream'] = fn;
    for (; typeof at !== 'string'; at = at.upstream) {
      assert.ok(!seen.has(at), `${fn.name} is below itself`);
      assert.ok(dump.functions.includes(at), `${at.name} is no function of the dump`);
      seen.add(at);
    }
    const top = [...seen].at(-1) ?? fn;
    if (at === 'root')
      assert.deepEqual(
        fn.rootBus,
        { domain: top.address.domain, bus: top.address.bus },
        `${fn.name}: root bus`,
      );
  }
}

/** Where bytes show the whole list of extended capabilities, they decide. */
function requireBytes(fn: DumpedFunction): void {
  const inBytes = controlInBytes(fn);
  if (inBytes !== 'unknown') assert.equal(fn.acs.control, inBytes, `${fn.name}: ACS control in the bytes`);
}

function controlInBytes({ config, known }: DumpedFunction): number | 'absent' | 'unknown' {
  const at = (offset: number, bytes: number): number | 'unknown' =>
    known.subarray(offset, offset + bytes).every((mask) => mask === 0xff) && offset + bytes <= config.length
      ? config.subarray(offset, offset + bytes).reduceRight((value, byte) => value * 256 + byte, 0)
      : 'unknown';
  const seen = new Set<number>();
  for (let offset = 0x100; offset >= 0x100 && !seen.has(offset); ) {
    seen.add(offset);
    const header = at(offset, 4);
    if (header === 'unknown') return 'unknown';
    if (header === 0 || header === 0xffffffff) return 'absent';
    if (header % 0x10000 === 0x0d) {
      const control = at(offset + 6, 1);
      return control === 'unknown' ? control : control % 0x80;
    }
    offset = Math.floor(header / 2 ** 22) * 4;
  }
  return 'absent';
}

/** The lines of each function of a listing, by its printed address. */
function blocksOf(text: string): Map<string, string[]> {
  const blocks = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const address = /^((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f][.][0-7]) .+/i
      .exec(line)?.[1]
      ?.toLowerCase();
    if (address !== undefined && / (?:.*: |[0-9a-f]{4}: [0-9a-f]{4}:)/i.test(line)) {
      const full = /^[0-9a-f]{2}:/.test(address)
        ? `0000:${address}`
        : address.replace(/^0+(?=[0-9a-f]{4}:)/, '');
      current = blocks.get(full) ?? [];
      blocks.set(full, current);
    } else if (line.trim() === '') current = undefined;
    current?.push(line.trim());
  }
  return blocks;
}

const words = ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd', 'EgressCtrl', 'DirectTrans'];

/** Control registers that the lines print whole. */
function printedControls(lines: readonly string[]): number[] {
  return lines
    .filter(
      (line) =>
        line.startsWith('ACSCtl:') &&
        words.every((word) => line.includes(`${word}+`) || line.includes(`${word}-`)),
    )
    .map((line) => words.reduce((value, word, bit) => value + (line.includes(`${word}+`) ? 2 ** bit : 0), 0));
}

function requireStated(dump: MachineDump, text: string): void {
  const blocks = blocksOf(text);
  for (const fn of dump.functions) {
    const lines = blocks.get(fn.name) ?? [];
    requireRegister(fn, lines);
    if (!dump.formats.includes('lspci-tree')) requirePlace(dump, fn);
  }
}

/** A register that is not in the bytes stands in the lines, and one that is absent is named nowhere. */
function requireRegister(fn: DumpedFunction, lines: readonly string[]): void {
  const { control } = fn.acs;
  if (typeof control === 'number' && fn.known.length <= 256) {
    assert.deepEqual([...new Set(printedControls(lines))], [control], `${fn.name}: ACS control`);
  } else if (control === 'absent' && fn.known.length === 0) {
    const named = lines.some((line) => /^(?:ACSC|Capabilities: .*Access Control Services)/.test(line));
    assert.ok(!named, `${fn.name}: ACS is named, and absent`);
    const shown = lines.some((line) => /^Capabilities: \[|^Status: Cap-/.test(line));
    assert.ok(shown, `${fn.name}: nothing shows its capabilities`);
  }
}

/** Bus numbers say who is above. */
function requirePlace(dump: MachineDump, fn: DumpedFunction): void {
  const claims = dump.functions.filter(
    ({ address, buses }) =>
      typeof buses !== 'string' &&
      address.domain === fn.address.domain &&
      buses.secondary === fn.address.bus &&
      buses.secondary > address.bus &&
      buses.subordinate >= buses.secondary,
  );
  if (typeof fn.upstream !== 'string') assert.deepEqual(claims, [fn.upstream], `${fn.name}: who is above`);
  if (fn.upstream === 'root')
    assert.deepEqual(claims, [], `${fn.name}: on a root bus that a bridge leads to`);
}

function samplePairs(functions: readonly DumpedFunction[], seed: number): [DumpedFunction, DumpedFunction][] {
  const pairs: [DumpedFunction, DumpedFunction][] = [];
  const count = functions.length;
  if (count === 0) return pairs;
  for (let i = 0; i < 24; i += 1) {
    const a = (seed * 31 + i * 7919) % count;
    const b = i % 3 === 0 ? (a + (i % 5)) % count : (seed * 17 + i * 104729) % count;
    pairs.push([functions[a] as DumpedFunction, functions[b] as DumpedFunction]);
  }
  return pairs;
}

function requireVerdict(
  dump: MachineDump,
  provider: DumpedFunction,
  client: DumpedFunction,
  seed: number,
): void {
  const view = dumpRouteView(dump);
  const [rule, allows] = rules[seed % rules.length] as (typeof rules)[number];
  const route = calcMapTypeAndDist(view, provider, client, rule);
  const { mapTypes, distances } = possibleVerdicts(dump, provider, client, allows);
  const pair = `${provider.name} -> ${client.name}`;
  for (const mapType of mapTypes)
    assert.ok(
      (route.possible as readonly string[]).includes(mapType),
      `${pair}: ${mapType} is possible too, besides ${route.possible.join(' ')}`,
    );
  if (mapTypes.size === 1) assert.equal(route.mapType, [...mapTypes][0], `${pair}: map type`);
  if (route.mapType !== 'unknown') assert.deepEqual([...mapTypes], [route.mapType], `${pair}: map type`);
  if (route.distance !== 'unknown') assert.deepEqual([...distances], [route.distance], `${pair}: distance`);
}
