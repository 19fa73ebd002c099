import { join } from 'node:path';
import { renderLspci } from '@sgfree/machine-texts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DumpedFunction,
  firstDeviceOfRootBus,
  hostBridgeOf,
  type MachineDump,
  readTopologyText,
  readTopologyTree,
} from '../src/index.ts';
import { folderTree } from './folder-tree.ts';
import { published, publishedRoot, recordedRoot } from './known-inputs.ts';

const recorded = ['p2p/A_zen/topo', 'p2p/C_intel/topo', 'amd/topo'];
const machine = (name: string): MachineDump => readTopologyTree(folderTree(join(recordedRoot, name)));

const inputs: (readonly [string, string])[] = recorded.flatMap((name) => [
  [`${name} as text`, renderLspci(machine(name), false)] as const,
  [`${name} as text and bytes`, renderLspci(machine(name), true)] as const,
]);
if (publishedRoot !== undefined) inputs.push(['the server with 517 functions', published('gpud/lspci-vvv')]);

const kindOf = ({ vendorId, deviceId, title, classId, portType }: DumpedFunction): string =>
  JSON.stringify([vendorId, deviceId, deviceId === 'unknown' ? title : '', classId, portType]);

/** Facts on which answers rest; none may become another value, only 'unknown'. */
function facts(dump: MachineDump, fn: DumpedFunction): Record<string, unknown> {
  const host = hostBridgeOf(dump, fn);
  const first = host === 'unknown' ? 'unknown' : firstDeviceOfRootBus(host);
  return {
    upstream: typeof fn.upstream === 'string' ? fn.upstream : fn.upstream.name,
    rootBus: fn.rootBus === 'unknown' ? 'unknown' : fn.rootBus.bus,
    portType: fn.portType,
    offset: fn.acs.offset,
    capability: fn.acs.capability,
    control: fn.acs.control,
    first: first === 'unknown' ? 'unknown' : first.name,
    vendorId: fn.vendorId,
    deviceId: fn.deviceId,
  };
}

const hasAcs = ({ acs }: DumpedFunction): boolean => typeof acs.control === 'number';

/** Whatever is left of a function's text. */
function blockOf({ address, name }: DumpedFunction, lines: readonly string[]): string {
  const at = address.domain === 0 ? name.slice(5) : name;
  const start = lines.findIndex((line) => line.startsWith(`${at} `));
  const end = lines.findIndex((line, index) => index > start && line.trim() === '');
  return lines.slice(start, end < 0 ? lines.length : end).join('\n');
}

/** Text does not count its capabilities: one of which every line is lost is missed by nobody, unless an equal has it. */
function unseen(
  before: DumpedFunction,
  key: string,
  reduced: MachineDump,
  lines: readonly string[],
): boolean {
  const block = blockOf(before, lines);
  if (key === 'portType') return !/Express|(?:Dev|Lnk)C|Capabilities: \[[1-9a-f][0-9a-f]{2}/.test(block);
  const equals = reduced.functions.filter((fn) => kindOf(fn) === kindOf(before));
  return hasAcs(before) && !/ACSC|Access Control Services/.test(block) && !equals.some(hasAcs);
}

function compare(whole: MachineDump, reduced: MachineDump, lines: readonly string[]): void {
  const byName = new Map(whole.functions.map((fn) => [fn.name, fn]));
  for (const fn of reduced.functions) {
    const before = byName.get(fn.name);
    if (before === undefined) throw new Error(`${fn.name} was not there`);
    const known = facts(whole, before);
    for (const [key, value] of Object.entries(facts(reduced, fn))) {
      if (value === 'unknown' || value === known[key]) continue;
      if (value === 'absent' && fn.config.length === 0 && unseen(before, key, reduced, lines)) continue;
      expect([fn.name, key, value]).toEqual([fn.name, key, known[key]]);
    }
  }
}

const runs = Number(process.env['TOPOLOGY_RUNS'] ?? 20);

describe.each(inputs)('%s', (_, text) => {
  const whole = readTopologyText(text);
  const lines = text.split('\n');
  const capabilityLines = lines.flatMap((line, index) =>
    /Capabilities|ACSC|DevCap|Bus: |Status|^[0-9a-f]{2,3}: /.test(line) ? [index] : [],
  );
  const starts = lines.flatMap((line, index) =>
    /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}[.][0-7] /.test(line) ? [index] : [],
  );

  test('lost capability lines make facts unknown and nothing else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(capabilityLines.length - 1), { minLength: 1, maxLength: 40 }),
        (picked) => {
          const lost = new Set(picked.map((index) => capabilityLines[index]));
          const left = lines.filter((__, index) => !lost.has(index));
          compare(whole, readTopologyText(left.join('\n')), left);
        },
      ),
      { numRuns: runs },
    );
  });

  test('lost functions make facts unknown and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(starts.length - 1), { minLength: 1, maxLength: 12 }), (picked) => {
        const lost = new Set<number>();
        for (const index of picked) {
          const end = starts[index + 1] ?? lines.length;
          for (let at = starts[index] ?? 0; at < end; at += 1) lost.add(at);
        }
        const left = lines.filter((__, index) => !lost.has(index));
        if (starts.length === picked.length) return;
        compare(whole, readTopologyText(left.join('\n')), left);
      }),
      { numRuns: runs },
    );
  });

  test('a text that ends early makes facts unknown and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: text.length }), (length) => {
        const left = text.slice(0, length);
        compare(whole, readTopologyText(left), left.split('\n'));
      }),
      { numRuns: runs },
    );
  });
});
